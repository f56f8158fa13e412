# Run the cells of one shard. Digests of the code, of the cells and of what lies outside are params:
# a change of one re-runs exactly the shards it concerns, a touch re-runs nothing.
rule measure:
    output:
        rows=f"{RESULTS}/records/{{replication}}/{{shard}}.csv",
        facts=f"{RESULTS}/records/{{replication}}/{{shard}}.json",
    log:
        f"{RESULTS}/logs/measure/{{replication}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure/{{replication}}/{{shard}}.jsonl"
    priority: lambda wildcards: PLAN.priority(wildcards.replication, wildcards.shard)
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda w, attempt: PLAN.memory_mb(w.replication, w.shard, attempt),
        runtime=lambda w, attempt: PLAN.minutes(w.replication, w.shard, attempt),
        gpu=PLAN.gpus(),
    params:
        code=lambda w: PLAN.experiment_code(w.replication),
        outside=lambda w: PLAN.experiment_outside(w.replication),
        cells=lambda w: PLAN.cells(w.replication, w.shard),
        seeds=lambda w: PLAN.seed_options(),
        # a plain text would be searched for wildcards
        data=lambda w: PLAN.data_option(w.replication, w.shard),
        results=lambda wildcards: RESULTS,
    message:
        "measure {wildcards.replication}/{wildcards.shard}"
    shell:
        "TERMINAL_FD=3 python -m workflow.measure --results {params.results}"
        " --replication {wildcards.replication} --shard {wildcards.shard}"
        " {params.seeds} --code {params.code} {params.data} 3>&2 >{log} 2>&1"

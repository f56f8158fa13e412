# Join a replication's records to one table; hold the table against the claims.
rule gather:
    input:
        lambda w: PLAN.records(w.replication),
    output:
        rows=report(
            f"{RESULTS}/tables/{{replication}}.csv",
            category="Data",
            caption="../captions/table.rst",
            labels={"content": "all measured rows", "replication": "{replication}"},
        ),
        checksum=f"{RESULTS}/tables/{{replication}}.json",
    log:
        f"{RESULTS}/logs/gather/{{replication}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/gather/{{replication}}.jsonl"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        results=lambda wildcards: RESULTS,
        code=PLAN.gather_code(),
        seeds=lambda w: PLAN.seed_options(),
    message:
        "gather {wildcards.replication}"
    shell:
        "python -m workflow.gather --results {params.results}"
        " --replication {wildcards.replication} {params.seeds} >{log} 2>&1"


rule judge:
    input:
        lambda w: PLAN.table(w.replication),
    output:
        table=f"{RESULTS}/checks/{{replication}}.csv",
        facts=f"{RESULTS}/checks/{{replication}}.json",
    log:
        f"{RESULTS}/logs/judge/{{replication}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/judge/{{replication}}.jsonl"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        results=lambda wildcards: RESULTS,
        claims=lambda w: PLAN.claims_code(w.replication),
        reduction=lambda w: PLAN.judging_options(),
    message:
        "judge {wildcards.replication}"
    shell:
        "python -m workflow.judge --results {params.results}"
        " --replication {wildcards.replication} {params.reduction} >{log} 2>&1"

# Replications of the theory of wide neural networks, judged against the papers' predictions.
# `snakemake --cores N` measures, judges, draws and reports; then the gate sets the exit code.


include: "workflow/Snakefile"


# The gate has no output (nor benchmark file, which counts as one), so that it looks at what lies on
# disk at every run.
rule gate:
    default_target: True
    input:
        rules.all.input,
    log:
        f"{RESULTS}/logs/gate.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        results=lambda wildcards: RESULTS,
    message:
        "gate"
    shell:
        "TERMINAL_FD=3 python -m workflow.gate {params.results} 3>&2 >{log} 2>&1"

# Replications of the theory of wide neural networks, judged against the papers' predictions.
# `snakemake --cores N` measures, judges, draws and reports; then the gate sets the exit code.


include: "workflow/Snakefile"


# The gate has no output (nor benchmark file, which counts as one), so that it looks at what lies on
# disk at every run. What it says reaches the terminal once: where it fails, by snakemake, which shows
# the logs of failed jobs if it is told to (profiles/ do), otherwise by the rule.
rule gate:
    default_target: True
    input:
        rules.all.input,
    log:
        f"{RESULTS}/logs/gate.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        results=lambda wildcards: RESULTS,
        shown=int(workflow.output_settings.show_failed_logs),
    message:
        "gate"
    shell:
        "code=0; python -m workflow.gate {params.results} --jobs {threads} >{log} 2>&1 || code=$?;"
        " [ $code != 0 -a {params.shown} = 1 ] || cat {log} >&2; exit $code"

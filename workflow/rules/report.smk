import shlex

# Join the checks, write the report. It withholds the verdict of whatever is missing or stale.
REPORT_COMMAND = shlex.join(["python", *PLAN.report_words()])


rule report:
    input:
        [PLAN.records(name) for name in PLAN.names],
        [PLAN.table(name) for name in PLAN.names],
        [PLAN.checks(name) for name in PLAN.names],
        [PLAN.drawn(name) for name in PLAN.names],
    output:
        page=report(
            f"{RESULTS}/report/index.html",
            category="Verdicts",
            caption="../captions/verdicts.rst",
            labels={"content": "all verdicts and figures on one page"},
        ),
        text=[
            f"{RESULTS}/report/{name}"
            for name in ("report.md", "report.json", "summary.md", "badge.json", "numbers.tex")
        ],
        checks=report(
            f"{RESULTS}/checks.csv",
            category="Verdicts",
            caption="../captions/verdicts.rst",
            labels={"content": "the verdicts as a table"},
        ),
        answer=PLAN.answer(),
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.jsonl"
    localrule: True
    conda:
        ENVIRONMENT
    threads: 4
    resources:
        mem_mb=2000,
        runtime=5,
    params:
        command=lambda w: REPORT_COMMAND,
        code=PLAN.report_code(),
    message:
        "report"
    shell:
        "{params.command} --jobs {threads} >{log} 2>&1"


# What changed since the committed reference; a page of it lies beside the report.
rule compare:
    input:
        rules.report.output,
    log:
        f"{RESULTS}/logs/compare.log",
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
        "compare"
    shell:
        "TERMINAL_FD=3 python -m workflow.compare {params.results}"
        " --html {params.results}/report/compare.html 3>&2 >{log} 2>&1"

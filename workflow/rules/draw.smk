# One job per replication draws all its figures: each as SVG and PDF with its data as CSV.
for NAME in PLAN.names:

    rule:
        name:
            f"draw_{NAME}"
        input:
            PLAN.table(NAME),
        output:
            [
                report(
                    path,
                    category="Figures",
                    subcategory=NAME,
                    caption="../captions/figure.rst",
                    labels={"figure": title, "replication": NAME},
                )
                for path, title in PLAN.shown(NAME)
            ],
            PLAN.drawn_beside(NAME),
        log:
            f"{RESULTS}/logs/draw/{NAME}.log",
        benchmark:
            f"{RESULTS}/benchmarks/draw/{NAME}.jsonl"
        localrule: True
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=1500,
            runtime=15,
        params:
            results=lambda wildcards: RESULTS,
            replication=NAME,
            figures=PLAN.figures_code(NAME),
            captions=PLAN.captions(NAME),
            taken=lambda wildcards: PLAN.taken_options(),
        message:
            f"draw {NAME}"
        shell:
            "python -m workflow.draw --results {params.results}"
            " --replication {params.replication} {params.taken} >{log} 2>&1"

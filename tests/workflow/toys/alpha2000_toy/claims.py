from widenets.evidence import Claim, loglog_slope, near

CLAIMS = [
    Claim(
        name="T1_scatter",
        statement="The scatter of a mean of n draws falls as the square root of n",
        source="elementary",
        part="scatter",
        estimator=loglog_slope(y="size", x="width"),
        region=near(-0.5, 0.1),
        why="the variance of a mean of n independent draws is 1/n",
        control="control",
    ),
]

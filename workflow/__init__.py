"""The stages of the workflow, one small `python -m workflow.STAGE` each."""

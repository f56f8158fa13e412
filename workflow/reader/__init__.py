"""What a run with a reader's own network adds to the stages: a trial before it, an answer after."""

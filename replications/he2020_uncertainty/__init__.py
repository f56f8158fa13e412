"""He, Lakshminarayanan & Teh 2020 and neighbours: infinite networks as Bayesian models."""

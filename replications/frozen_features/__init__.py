"""Would it still hold if the features were frozen? Phenomenon by phenomenon, judged."""

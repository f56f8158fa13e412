"""Would it still hold if the features were frozen? Sixteen phenomena of networks, judged one by one."""

-- Who came before others could see it was never asked: what they heard stays theirs until they say so.
update users set show_history = false;

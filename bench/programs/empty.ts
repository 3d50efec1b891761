// Nothing: what every program pays.

"""Where does a network start from? Sources, checked, and fitted in tensor by tensor."""

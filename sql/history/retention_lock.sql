-- No mark comes or is worked on until the end of this transaction: what follows sees all marks there are.
LOCK TABLE livemon.minute_touched IN EXCLUSIVE MODE

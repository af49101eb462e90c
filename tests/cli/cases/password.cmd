# A password in a flag is refused, in every spelling, and not repeated.
run storage info --connection postgresql://user:secret@localhost/db
run storage info --connection 'host=localhost password=secret'
run storage info --connection 'host=localhost PASSWORD = secret'
run storage info --connection 'postgresql://localhost/db?password=secret'
run storage migrate plan --from a --to b --components sessions --to-connection postgres://u:secret@h/
run storage config check --backend postgres --connection 'postgresql://user@localhost:5432/db'

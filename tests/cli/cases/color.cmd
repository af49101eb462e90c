# Colors only where they are wanted.
run storage get agent_state x --color always
NO_COLOR=1 run storage get agent_state x --color auto
run storage get agent_state x --color never
run storage backends --help --color always | head -n 5

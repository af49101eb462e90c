# The help of every command, and that of the groups.
llmspell help --table | awk -F '\t' '$1 == "command" { print $2 }' | while read -r path; do
    run $path --help
done
run help storage migrate plan
run help storage get nothing
run --version

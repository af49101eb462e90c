# From `llmspell help --table` to the completions of one shell, the variable `shell`.
# Input: "command PATH run|group WORDS SUMMARY" and "option PATH --NAME LETTER ARGUMENT MEANING",
# with tabs between.
BEGIN {
    FS = "\t"
}

$1 == "command" {
    path[++paths] = $2
    group[$2] = $3 == "group"
    words[$2] = $4
    summary[$2] = $5
    parent = $2
    if (!sub(/ [^ ]+$/, "", parent))
        parent = ""
    if ($2 != "") {
        word = $2
        sub(/.* /, "", word)
        children[parent] = children[parent] (children[parent] == "" ? "" : " ") word
    }
}

$1 == "option" {
    n = ++count[$2]
    name[$2, n] = $3
    letter[$2, n] = $4
    argument[$2, n] = $5
    meaning[$2, n] = $6
    takes[$3] = $5
    if ($4 != "-")
        takes["-" $4] = $5
}

END {
    if (shell == "bash")
        bash()
    else if (shell == "zsh")
        zsh()
    else
        fish()
}

function options_of(p,    list, i) {
    for (i = 1; i <= count[p]; i++) {
        list = list (list == "" ? "" : " ") name[p, i]
        if (letter[p, i] != "-")
            list = list " -" letter[p, i]
    }
    return list
}

# What completes the argument of an option, in words that each shell translates.
function kind(what) {
    if (what == "-")
        return "none"
    if (what ~ /\|/)
        return "choice"
    if (what == "FILE" || what == "DIR" || what == "BACKEND" || what == "LIST")
        return tolower(what)
    return what == "PATH" ? "dir" : "text"
}

function bash(    i, p, o) {
    print "# bash completion of llmspell, written by completions/generate: change that."
    print ""
    print "_llmspell_names() {"
    print "    # the first column of a table, without its heading"
    print "    llmspell storage backends 2>/dev/null | awk 'NR > 1 { print $1 }'"
    print "}"
    print ""
    print "_llmspell() {"
    print "    local word=$2 before=$3 path= i=1"
    print "    local components='agent_state workflow_state sessions'"
    print "    COMPREPLY=()"
    print "    while ((i < COMP_CWORD)); do"
    print "        case \"${path:+$path }${COMP_WORDS[i]}\" in"
    for (i = 1; i <= paths; i++)
        if (path[i] != "")
            printf "        '%s') path='%s' ;;\n", path[i], path[i]
    print "        esac"
    print "        ((i++))"
    print "    done"
    print "    case \"$path:$before\" in"
    for (i = 1; i <= paths; i++)
        bash_arguments(path[i])
    print "    esac"
    print "    case $path in"
    for (i = 1; i <= paths; i++) {
        p = path[i]
        printf "    '%s')\n        if [[ $word == -* ]]; then\n", p
        printf "            COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n", options_of(p)
        o = group[p] ? children[p] : ""
        if (o != "")
            printf "        else\n            COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n", o
        else if (words[p] ~ /^COMPONENT/) {
            printf "        elif [[ $before == '%s' ]]; then\n", last(p)
            print "            COMPREPLY=($(compgen -W \"$components\" -- \"$word\"))"
            if (words[p] ~ /FILE/)
                print "        else\n            COMPREPLY=($(compgen -f -- \"${word#@}\"))"
        } else if (words[p] == "[NAME]") {
            print "        else"
            print "            COMPREPLY=($(compgen -W \"$(_llmspell_names)\" -- \"$word\"))"
        }
        print "        fi\n        ;;"
    }
    print "    esac"
    print "}"
    print "complete -F _llmspell llmspell"
}

function last(p) {
    sub(/.* /, "", p)
    return p
}

function bash_arguments(p,    i, k, choices) {
    for (i = 1; i <= count[p]; i++) {
        k = kind(argument[p, i])
        if (k == "none")
            continue
        printf "    '%s:%s'", p, name[p, i]
        if (letter[p, i] != "-")
            printf " | '%s:-%s'", p, letter[p, i]
        print ")"
        choices = argument[p, i]
        gsub(/\|/, " ", choices)
        if (k == "choice")
            printf "        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n", choices
        else if (k == "file")
            print "        COMPREPLY=($(compgen -f -- \"$word\"))"
        else if (k == "dir")
            print "        COMPREPLY=($(compgen -d -- \"$word\"))"
        else if (k == "backend")
            print "        COMPREPLY=($(compgen -W \"$(_llmspell_names)\" -- \"$word\"))"
        else if (k == "list")
            print "        COMPREPLY=($(compgen -W \"$components\" -- \"$word\"))"
        print "        return\n        ;;"
    }
}

function zsh_text(text) {
    gsub(/'/, "'\\''", text)
    gsub(/[\[\]:]/, "\\\\&", text)
    return text
}

function zsh(    i, j, p, k, list, n) {
    print "#compdef llmspell"
    print "# zsh completion of llmspell, written by completions/generate: change that."
    print ""
    print "_llmspell_backends() {"
    print "    local -a names"
    print "    names=(${(f)\"$(llmspell storage backends 2>/dev/null | awk 'NR > 1 { print $1 }')\"})"
    print "    _describe backend names"
    print "}"
    print ""
    print "_llmspell_components() {"
    print "    _values -s , component agent_state workflow_state sessions"
    print "}"
    for (i = 1; i <= paths; i++) {
        p = path[i]
        printf "\n%s() {\n", zsh_function(p)
        if (group[p])
            print "    local state line\n    local -a commands"
        print "    _arguments -s" (group[p] ? " -C" : "") " \\"
        for (j = 1; j <= count[p]; j++)
            zsh_option(p, j)
        if (group[p]) {
            print "        '1:command:->command' \\\n        '*::argument:->argument'"
            print "    case $state in\n    command)\n        commands=("
            n = split(children[p], list, " ")
            for (j = 1; j <= n; j++)
                printf "            '%s:%s'\n", list[j], zsh_text(summary[p == "" ? list[j] : p " " list[j]])
            print "        )\n        _describe command commands\n        ;;"
            print "    argument)\n        case $words[1] in"
            for (j = 1; j <= n; j++)
                printf "        %s) %s ;;\n", list[j], zsh_function(p == "" ? list[j] : p " " list[j])
            print "        esac\n        ;;\n    esac"
        } else if (words[p] ~ /^COMPONENT/)
            print "        '1:component:(agent_state workflow_state sessions)' '*:value:_files'"
        else if (words[p] == "[NAME]")
            print "        '1:backend:_llmspell_backends'"
        else
            print "        '*:word: '"
        print "}"
    }
    print "\n_llmspell \"$@\""
}

function zsh_function(p) {
    gsub(/ /, "_", p)
    return p == "" ? "_llmspell" : "_llmspell_" p
}

function zsh_option(p, j,    k, choices, does, spec) {
    k = kind(argument[p, j])
    choices = argument[p, j]
    gsub(/\|/, " ", choices)
    does = ""
    if (k == "choice")
        does = "(" choices ")"
    else if (k == "file")
        does = "_files"
    else if (k == "dir")
        does = "_files -/"
    else if (k == "backend")
        does = "_llmspell_backends"
    else if (k == "list")
        does = "_llmspell_components"
    spec = "[" zsh_text(meaning[p, j]) "]" (k == "none" ? "" : ":" tolower(kind_name(argument[p, j])) ":" does)
    printf "        '%s%s' \\\n", name[p, j] (k == "none" ? "" : "="), spec
    if (letter[p, j] != "-")
        printf "        '-%s%s' \\\n", letter[p, j], spec
}

function kind_name(what) {
    return what ~ /\|/ ? "choice" : what
}

function fish_text(text) {
    gsub(/'/, "\\'", text)
    return "'" text "'"
}

function fish(    i, j, p, list, n, child, line) {
    print "# fish completion of llmspell, written by completions/generate: change that."
    print ""
    print "# The words of the command so far, options left out: `storage migrate`."
    print "function __llmspell_path"
    print "    set -l path"
    print "    for word in (commandline -opc)[2..-1]"
    print "        switch (string join ' ' -- $path $word)"
    printf "            case"
    for (i = 1; i <= paths; i++)
        if (path[i] != "")
            printf " '%s'", path[i]
    print "\n                set path $path $word"
    print "        end\n    end\n    string join ' ' -- $path\nend\n"
    print "function __llmspell_at"
    print "    set -l path (__llmspell_path)\n    test \"$path\" = \"$argv\"\nend\n"
    print "function __llmspell_backends"
    print "    llmspell storage backends 2>/dev/null | awk 'NR > 1 { print $1 }'\nend\n"
    print "complete -c llmspell -f"
    for (i = 1; i <= paths; i++) {
        p = path[i]
        n = split(children[p], list, " ")
        for (j = 1; j <= n; j++) {
            child = p == "" ? list[j] : p " " list[j]
            printf "complete -c llmspell -n %s -a %s -d %s\n", fish_text("__llmspell_at " p), list[j], \
                fish_text(summary[child])
        }
        if (words[p] ~ /^COMPONENT/)
            printf "complete -c llmspell -n %s -a 'agent_state workflow_state sessions'\n", \
                fish_text("__llmspell_at " p)
        if (words[p] ~ /FILE/)
            printf "complete -c llmspell -n %s -F\n", fish_text("__llmspell_at " p)
        if (words[p] == "[NAME]")
            printf "complete -c llmspell -n %s -a '(__llmspell_backends)'\n", fish_text("__llmspell_at " p)
        for (j = 1; j <= count[p]; j++)
            fish_option(p, j)
    }
}

function fish_option(p, j,    k, choices, line) {
    k = kind(argument[p, j])
    choices = argument[p, j]
    gsub(/\|/, " ", choices)
    line = "complete -c llmspell -n " fish_text("__llmspell_at " p) " -l " substr(name[p, j], 3)
    if (letter[p, j] != "-")
        line = line " -s " letter[p, j]
    if (k == "file" || k == "dir")
        line = line " -r"
    else if (k != "none")
        line = line " -x"
    if (k == "choice")
        line = line " -a " fish_text(choices)
    else if (k == "file" || k == "dir")
        line = line " -F"
    else if (k == "backend")
        line = line " -a '(__llmspell_backends)'"
    else if (k == "list")
        line = line " -a 'agent_state workflow_state sessions'"
    print line " -d " fish_text(meaning[p, j])
}

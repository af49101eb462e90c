# bash completion of llmspell, written by completions/generate: change that.

_llmspell_names() {
    # the first column of a table, without its heading
    llmspell storage backends 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_llmspell() {
    local word=$2 before=$3 path= i=1
    local components='agent_state workflow_state sessions'
    COMPREPLY=()
    while ((i < COMP_CWORD)); do
        case "${path:+$path }${COMP_WORDS[i]}" in
        'help') path='help' ;;
        'storage') path='storage' ;;
        'storage get') path='storage get' ;;
        'storage put') path='storage put' ;;
        'storage delete') path='storage delete' ;;
        'storage list') path='storage list' ;;
        'storage history') path='storage history' ;;
        'storage search') path='storage search' ;;
        'storage import') path='storage import' ;;
        'storage export') path='storage export' ;;
        'storage info') path='storage info' ;;
        'storage validate') path='storage validate' ;;
        'storage backends') path='storage backends' ;;
        'storage config') path='storage config' ;;
        'storage config show') path='storage config show' ;;
        'storage config check') path='storage config check' ;;
        'storage schema') path='storage schema' ;;
        'storage schema status') path='storage schema status' ;;
        'storage schema apply') path='storage schema apply' ;;
        'storage migrate') path='storage migrate' ;;
        'storage migrate plan') path='storage migrate plan' ;;
        'storage migrate execute') path='storage migrate execute' ;;
        'storage migrate resume') path='storage migrate resume' ;;
        'storage migrate rollback') path='storage migrate rollback' ;;
        'storage migrate status') path='storage migrate status' ;;
        esac
        ((i++))
    done
    case "$path:$before" in
    ':--config' | ':-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    ':--tenant')
        return
        ;;
    ':--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    ':--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    ':--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'help:--config' | 'help:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'help:--tenant')
        return
        ;;
    'help:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'help:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'help:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage:--config' | 'storage:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage:--tenant')
        return
        ;;
    'storage:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage get:--version')
        return
        ;;
    'storage get:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage get:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage get:--connection')
        return
        ;;
    'storage get:--config' | 'storage get:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage get:--tenant')
        return
        ;;
    'storage get:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage get:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage get:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage put:--if-version')
        return
        ;;
    'storage put:--ttl')
        return
        ;;
    'storage put:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage put:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage put:--connection')
        return
        ;;
    'storage put:--config' | 'storage put:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage put:--tenant')
        return
        ;;
    'storage put:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage put:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage put:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage delete:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage delete:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage delete:--connection')
        return
        ;;
    'storage delete:--config' | 'storage delete:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage delete:--tenant')
        return
        ;;
    'storage delete:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage delete:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage delete:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage list:--prefix')
        return
        ;;
    'storage list:--after')
        return
        ;;
    'storage list:--limit')
        return
        ;;
    'storage list:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage list:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage list:--connection')
        return
        ;;
    'storage list:--config' | 'storage list:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage list:--tenant')
        return
        ;;
    'storage list:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage list:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage list:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage history:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage history:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage history:--connection')
        return
        ;;
    'storage history:--config' | 'storage history:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage history:--tenant')
        return
        ;;
    'storage history:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage history:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage history:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage search:--vector')
        return
        ;;
    'storage search:--model')
        return
        ;;
    'storage search:--like')
        return
        ;;
    'storage search:--session')
        return
        ;;
    'storage search:--role')
        return
        ;;
    'storage search:--where')
        return
        ;;
    'storage search:--since')
        return
        ;;
    'storage search:--until')
        return
        ;;
    'storage search:--limit')
        return
        ;;
    'storage search:--within')
        return
        ;;
    'storage search:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage search:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage search:--connection')
        return
        ;;
    'storage search:--config' | 'storage search:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage search:--tenant')
        return
        ;;
    'storage search:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage search:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage search:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage import:--file-format')
        COMPREPLY=($(compgen -W 'jsonl fbin msgpack' -- "$word"))
        return
        ;;
    'storage import:--prefix')
        return
        ;;
    'storage import:--model')
        return
        ;;
    'storage import:--metric')
        COMPREPLY=($(compgen -W 'cosine l2 ip l1' -- "$word"))
        return
        ;;
    'storage import:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage import:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage import:--connection')
        return
        ;;
    'storage import:--config' | 'storage import:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage import:--tenant')
        return
        ;;
    'storage import:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage import:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage import:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage export:--file-format')
        COMPREPLY=($(compgen -W 'jsonl fbin' -- "$word"))
        return
        ;;
    'storage export:--model')
        return
        ;;
    'storage export:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage export:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage export:--connection')
        return
        ;;
    'storage export:--config' | 'storage export:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage export:--tenant')
        return
        ;;
    'storage export:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage export:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage export:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage info:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage info:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage info:--connection')
        return
        ;;
    'storage info:--config' | 'storage info:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage info:--tenant')
        return
        ;;
    'storage info:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage info:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage info:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage validate:--components')
        COMPREPLY=($(compgen -W "$components" -- "$word"))
        return
        ;;
    'storage validate:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage validate:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage validate:--connection')
        return
        ;;
    'storage validate:--config' | 'storage validate:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage validate:--tenant')
        return
        ;;
    'storage validate:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage validate:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage validate:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage backends:--config' | 'storage backends:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage backends:--tenant')
        return
        ;;
    'storage backends:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage backends:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage backends:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage config:--config' | 'storage config:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage config:--tenant')
        return
        ;;
    'storage config:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage config:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage config:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage config show:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage config show:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage config show:--connection')
        return
        ;;
    'storage config show:--config' | 'storage config show:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage config show:--tenant')
        return
        ;;
    'storage config show:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage config show:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage config show:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage config check:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage config check:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage config check:--connection')
        return
        ;;
    'storage config check:--config' | 'storage config check:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage config check:--tenant')
        return
        ;;
    'storage config check:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage config check:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage config check:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage schema:--config' | 'storage schema:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage schema:--tenant')
        return
        ;;
    'storage schema:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage schema:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage schema:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage schema status:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage schema status:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage schema status:--connection')
        return
        ;;
    'storage schema status:--config' | 'storage schema status:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage schema status:--tenant')
        return
        ;;
    'storage schema status:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage schema status:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage schema status:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage schema apply:--backend')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage schema apply:--path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage schema apply:--connection')
        return
        ;;
    'storage schema apply:--config' | 'storage schema apply:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage schema apply:--tenant')
        return
        ;;
    'storage schema apply:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage schema apply:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage schema apply:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage migrate:--config' | 'storage migrate:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate:--tenant')
        return
        ;;
    'storage migrate:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage migrate plan:--from')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage migrate plan:--to')
        COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        return
        ;;
    'storage migrate plan:--components')
        COMPREPLY=($(compgen -W "$components" -- "$word"))
        return
        ;;
    'storage migrate plan:--output')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate plan:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate plan:--from-path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage migrate plan:--to-path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage migrate plan:--from-connection')
        return
        ;;
    'storage migrate plan:--to-connection')
        return
        ;;
    'storage migrate plan:--batch-size')
        return
        ;;
    'storage migrate plan:--backup-path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage migrate plan:--config' | 'storage migrate plan:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate plan:--tenant')
        return
        ;;
    'storage migrate plan:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage migrate execute:--plan')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate execute:--config' | 'storage migrate execute:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate execute:--tenant')
        return
        ;;
    'storage migrate execute:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate execute:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate execute:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage migrate resume:--backup')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage migrate resume:--config' | 'storage migrate resume:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate resume:--tenant')
        return
        ;;
    'storage migrate resume:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate resume:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate resume:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage migrate rollback:--backup')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage migrate rollback:--config' | 'storage migrate rollback:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate rollback:--tenant')
        return
        ;;
    'storage migrate rollback:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate rollback:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate rollback:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    'storage migrate status:--backup-path')
        COMPREPLY=($(compgen -d -- "$word"))
        return
        ;;
    'storage migrate status:--config' | 'storage migrate status:-c')
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
    'storage migrate status:--tenant')
        return
        ;;
    'storage migrate status:--output')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate status:--format')
        COMPREPLY=($(compgen -W 'text json' -- "$word"))
        return
        ;;
    'storage migrate status:--color')
        COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
        return
        ;;
    esac
    case $path in
    '')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--version --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        else
            COMPREPLY=($(compgen -W 'help storage' -- "$word"))
        fi
        ;;
    'help')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--table --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        else
            COMPREPLY=($(compgen -W 'get put delete list history search import export info validate backends config schema migrate' -- "$word"))
        fi
        ;;
    'storage get')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--version --key-base64 --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'get' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        fi
        ;;
    'storage put')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--key-base64 --if-absent --if-version --ttl --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'put' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        else
            COMPREPLY=($(compgen -f -- "${word#@}"))
        fi
        ;;
    'storage delete')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--key-base64 --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'delete' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        fi
        ;;
    'storage list')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--prefix --after --limit --long --key-base64 --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'list' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        fi
        ;;
    'storage history')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--key-base64 --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'history' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        fi
        ;;
    'storage search')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--vector --model --like --session --role --where --since --until --unprocessed --limit --within --exact --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage import')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--keep-existing --file-format --prefix --model --metric --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'import' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        else
            COMPREPLY=($(compgen -f -- "${word#@}"))
        fi
        ;;
    'storage export')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--full --file-format --model --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        elif [[ $before == 'export' ]]; then
            COMPREPLY=($(compgen -W "$components" -- "$word"))
        else
            COMPREPLY=($(compgen -f -- "${word#@}"))
        fi
        ;;
    'storage info')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--recall --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage validate')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--components --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage backends')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        else
            COMPREPLY=($(compgen -W "$(_llmspell_names)" -- "$word"))
        fi
        ;;
    'storage config')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        else
            COMPREPLY=($(compgen -W 'show check' -- "$word"))
        fi
        ;;
    'storage config show')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--origin --backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage config check')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage schema')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        else
            COMPREPLY=($(compgen -W 'status apply' -- "$word"))
        fi
        ;;
    'storage schema status')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage schema apply')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--backend --path --connection --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage migrate')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        else
            COMPREPLY=($(compgen -W 'plan execute resume rollback status' -- "$word"))
        fi
        ;;
    'storage migrate plan')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--from --to --components --include-unknown --output --format --from-path --to-path --from-connection --to-connection --batch-size --backup-path --config -c --tenant --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage migrate execute')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--plan --dry-run --force --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage migrate resume')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--backup --force --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage migrate rollback')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--backup --force --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    'storage migrate status')
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W '--backup-path --config -c --tenant --output --format --quiet -q --color --help -h' -- "$word"))
        fi
        ;;
    esac
}
complete -F _llmspell llmspell

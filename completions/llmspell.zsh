#compdef llmspell
# zsh completion of llmspell, written by completions/generate: change that.

_llmspell_backends() {
    local -a names
    names=(${(f)"$(llmspell storage backends 2>/dev/null | awk 'NR > 1 { print $1 }')"})
    _describe backend names
}

_llmspell_components() {
    _values -s , component agent_state workflow_state sessions
}

_llmspell() {
    local state line
    local -a commands
    _arguments -s -C \
        '--version[print the version and exit]' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:command:->command' \
        '*::argument:->argument'
    case $state in
    command)
        commands=(
            'help:print the help of a command'
            'storage:store, look at, check and migrate what agents remember'
        )
        _describe command commands
        ;;
    argument)
        case $words[1] in
        help) _llmspell_help ;;
        storage) _llmspell_storage ;;
        esac
        ;;
    esac
}

_llmspell_help() {
    _arguments -s \
        '--table[print every command and option, for scripts]' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage() {
    local state line
    local -a commands
    _arguments -s -C \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:command:->command' \
        '*::argument:->argument'
    case $state in
    command)
        commands=(
            'get:print the value of a record, exactly as it was stored'
            'put:store a record'
            'delete:remove a record'
            'list:print the keys of a component, in byte order'
            'history:list the versions of a record that are kept'
            'search:find episodes by meaning, by words, or by both'
            'import:read records from JSON lines, or vectors from an .fbin file'
            'export:write the records of a component as JSON lines, or vectors as an .fbin file'
            'info:tell what a backend is and holds'
            'validate:read every record of a backend, and check what can be checked'
            'backends:list the backends, or the options of one'
            'config:show and check the configuration'
            'schema:look after the schema of a backend that has one'
            'migrate:move components from one backend to another, and prove it'
        )
        _describe command commands
        ;;
    argument)
        case $words[1] in
        get) _llmspell_storage_get ;;
        put) _llmspell_storage_put ;;
        delete) _llmspell_storage_delete ;;
        list) _llmspell_storage_list ;;
        history) _llmspell_storage_history ;;
        search) _llmspell_storage_search ;;
        import) _llmspell_storage_import ;;
        export) _llmspell_storage_export ;;
        info) _llmspell_storage_info ;;
        validate) _llmspell_storage_validate ;;
        backends) _llmspell_storage_backends ;;
        config) _llmspell_storage_config ;;
        schema) _llmspell_storage_schema ;;
        migrate) _llmspell_storage_migrate ;;
        esac
        ;;
    esac
}

_llmspell_storage_get() {
    _arguments -s \
        '--version=[this version, if it is kept\: see storage history]:n:' \
        '--key-base64[KEY is Base64\: for keys that are no text]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_put() {
    _arguments -s \
        '--key-base64[KEY is Base64\: for keys that are no text]' \
        '--if-absent[fail when there is such a record already]' \
        '--if-version=[fail unless the record has this version]:n:' \
        '--ttl=[let it expire\: 30d, 12h, 15m, 90s, 2w]:time:' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_delete() {
    _arguments -s \
        '--key-base64[KEY is Base64\: for keys that are no text]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_list() {
    _arguments -s \
        '--prefix=[only keys that begin with this]:prefix:' \
        '--after=[begin behind this key, the last of the page before]:key:' \
        '--limit=[print at most so many]:n:' \
        '--long[with version, size and times]' \
        '--key-base64[the values of --prefix and --after are Base64]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_history() {
    _arguments -s \
        '--key-base64[KEY is Base64\: for keys that are no text]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_search() {
    _arguments -s \
        '--vector=[find what is near this embedding\: a JSON array, a file of one, or -]:vector:' \
        '--model=[the model that made the embedding]:name:' \
        '--like=[find what is near the embedding of this episode]:id:' \
        '--session=[only episodes of this session]:id:' \
        '--role=[only episodes of this role]:role:' \
        '--where=[only these\: '\''colour=red,size>=3,tags~new'\'']:conditions:' \
        '--since=[only what happened then or later\: 2025-01-15, 7d]:time:' \
        '--until=[only what happened then or before]:time:' \
        '--unprocessed[only what nobody has processed yet]' \
        '--limit=[at most so many; 10 unless told]:n:' \
        '--within=[only what is not farther than this]:distance:' \
        '--exact[compare with every episode, however long it takes]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_import() {
    _arguments -s \
        '--keep-existing[fail rather than replace a record]' \
        '--file-format=[what FILE is; jsonl unless told]:choice:(jsonl fbin msgpack)' \
        '--prefix=[fbin\: ids are this and the number of the row]:text:' \
        '--model=[fbin, msgpack\: the model that made the vectors]:name:' \
        '--metric=[fbin\: how they are compared]:choice:(cosine l2 ip l1)' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_export() {
    _arguments -s \
        '--full[versions and times too, not only keys and values]' \
        '--file-format=[what FILE is; jsonl unless told]:choice:(jsonl fbin)' \
        '--model=[fbin\: the vectors of this model]:name:' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:component:(agent_state workflow_state sessions)' '*:value:_files'
}

_llmspell_storage_info() {
    _arguments -s \
        '--recall[measure recall also in spaces of over 100,000 vectors]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_validate() {
    _arguments -s \
        '--components=[names, with commas; all of them otherwise]:list:_llmspell_components' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_backends() {
    _arguments -s \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:backend:_llmspell_backends'
}

_llmspell_storage_config() {
    local state line
    local -a commands
    _arguments -s -C \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:command:->command' \
        '*::argument:->argument'
    case $state in
    command)
        commands=(
            'show:print every value of the configuration that is in force'
            'check:say whether the configuration is good'
        )
        _describe command commands
        ;;
    argument)
        case $words[1] in
        show) _llmspell_storage_config_show ;;
        check) _llmspell_storage_config_check ;;
        esac
        ;;
    esac
}

_llmspell_storage_config_show() {
    _arguments -s \
        '--origin[with where each value comes from]' \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_config_check() {
    _arguments -s \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_schema() {
    local state line
    local -a commands
    _arguments -s -C \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:command:->command' \
        '*::argument:->argument'
    case $state in
    command)
        commands=(
            'status:list the steps of a schema, and which are applied'
            'apply:apply the steps that are pending'
        )
        _describe command commands
        ;;
    argument)
        case $words[1] in
        status) _llmspell_storage_schema_status ;;
        apply) _llmspell_storage_schema_apply ;;
        esac
        ;;
    esac
}

_llmspell_storage_schema_status() {
    _arguments -s \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_schema_apply() {
    _arguments -s \
        '--backend=[the backend to use, not the configuration'\''s]:backend:_llmspell_backends' \
        '--path=[where that backend keeps its files]:path:_files -/' \
        '--connection=[how to reach its server; never with a password]:connection:' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_migrate() {
    local state line
    local -a commands
    _arguments -s -C \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '1:command:->command' \
        '*::argument:->argument'
    case $state in
    command)
        commands=(
            'plan:look at both ends, and write a plan to review'
            'execute:carry out a plan'
            'resume:go on with a run that was interrupted'
            'rollback:put the target back as it was before a run'
            'status:list the runs, oldest first'
        )
        _describe command commands
        ;;
    argument)
        case $words[1] in
        plan) _llmspell_storage_migrate_plan ;;
        execute) _llmspell_storage_migrate_execute ;;
        resume) _llmspell_storage_migrate_resume ;;
        rollback) _llmspell_storage_migrate_rollback ;;
        status) _llmspell_storage_migrate_status ;;
        esac
        ;;
    esac
}

_llmspell_storage_migrate_plan() {
    _arguments -s \
        '--from=[where the records are]:backend:_llmspell_backends' \
        '--to=[where they shall go]:backend:_llmspell_backends' \
        '--components=[names, with commas]:list:_llmspell_components' \
        '--include-unknown[carry along what no component understands]' \
        '--output=[write the plan here, not to stdout (see --format)]:file:_files' \
        '--format=[how to print results]:choice:(text json)' \
        '--from-path=[where the source keeps its files]:path:_files -/' \
        '--to-path=[where the target keeps its files]:path:_files -/' \
        '--from-connection=[how to reach the source; never with a password]:connection:' \
        '--to-connection=[how to reach the target; never with a password]:connection:' \
        '--batch-size=[records read and sent at a time]:n:' \
        '--backup-path=[where the run folder will be made]:dir:_files -/' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_migrate_execute() {
    _arguments -s \
        '--plan=[the plan to carry out]:file:_files' \
        '--dry-run[check everything, write nothing]' \
        '--force[take over the lock of a run on another host]' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_migrate_resume() {
    _arguments -s \
        '--backup=[the run folder; else the newest unfinished run]:dir:_files -/' \
        '--force[take over the lock of a run on another host]' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_migrate_rollback() {
    _arguments -s \
        '--backup=[the folder of the run]:dir:_files -/' \
        '--force[also when the target was written to afterwards]' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell_storage_migrate_status() {
    _arguments -s \
        '--backup-path=[where run folders are]:dir:_files -/' \
        '--config=[read this configuration file]:file:_files' \
        '-c[read this configuration file]:file:_files' \
        '--tenant=[whose records these are]:tenant:' \
        '--output=[how to print results]:choice:(text json)' \
        '--format=[another name for --output]:choice:(text json)' \
        '--quiet[say nothing but results, warnings and errors]' \
        '-q[say nothing but results, warnings and errors]' \
        '--color=[color messages]:choice:(auto always never)' \
        '--help[print this help and exit]' \
        '-h[print this help and exit]' \
        '*:word: '
}

_llmspell "$@"

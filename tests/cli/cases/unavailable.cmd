# A server that does not answer: what it is about is the library's to say, what to do is ours.
llmspell storage info --backend postgres --connection 'host=127.0.0.1 port=1' >/dev/null 2>err
ended $?
grep hint err
llmspell storage get sessions session:1 --backend postgres --connection 'host=127.0.0.1 port=1' --output json 2>err
ended $?
$json_check <err

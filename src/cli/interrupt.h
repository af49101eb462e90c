/** interrupt.h - the first Ctrl-C asks to stop at a safe point, the second ends the program. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

/** From now on SIGINT, SIGTERM and SIGHUP set the flag that this returns, for the library to see.
 */
const volatile int *cli_interrupt_begin(void);

#endif

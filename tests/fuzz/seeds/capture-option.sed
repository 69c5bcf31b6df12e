# capture/capture_reader_pcapng.c: an option at the end of a block is believed
s/if (\*code == OPTION_END || bytes > list->n)/if (*code == OPTION_END)/

//! Every refusal that a command mends: explained, and mended by that command in a shell.

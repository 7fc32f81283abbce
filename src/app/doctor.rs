//! `onward doctor`: finds out what is wrong and prints the fix.

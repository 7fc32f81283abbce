//! Where passwords come from; values that never show in `Debug`, logs or errors.

//! Lets the person edit a text in their own editor: `$VISUAL`, else `$EDITOR`, else `vi`.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::Command,
};

/// Largest text read back, in bytes: far beyond any letter.
const TEXT_BYTES_MAX: u64 = 256 * 1024;

/// Opens `text` in the editor as a file that only the person can read, in `dir`, and gives back what they left;
/// `None` when nothing changed. The file is removed in every case.
pub fn edit(dir: &Path, text: &str) -> io::Result<Option<String>> {
    let path = dir.join(format!("draft-{}.txt", uuid::Uuid::new_v4()));
    let outcome = edit_at(&path, text);
    let _ = fs::remove_file(&path);
    outcome
}

fn edit_at(path: &Path, text: &str) -> io::Result<Option<String>> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    let command =
        ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()));
    let command = command.unwrap_or_else(|| "vi".to_owned());
    // An editor may come with arguments (`code --wait`); no shell is involved.
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(path).status().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("the editor `{}` did not start: {error}; set $EDITOR", crate::clean::line(program)),
        )
    })?;
    if !status.success() {
        return Err(io::Error::other("the editor ended with an error, so nothing was changed"));
    }
    if fs::metadata(path)?.len() > TEXT_BYTES_MAX {
        return Err(io::Error::other("the text is far too long for a mail"));
    }
    let left = fs::read_to_string(path)?;
    Ok((left != text).then_some(left))
}

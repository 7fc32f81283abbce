//! Reads and writes the files of the person's rule directory. What they mean is decided in [`crate::rules`].

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::io::crash;
use crate::rules::{FILE_BYTES_MAX, Layer, Source};

/// Most files read from the directory.
pub const FILES_MAX: usize = 200;

/// Why the directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory or one of its files.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system said. Not the `source`: the message holds it already.
        reason: io::Error,
    },
    /// A file that cannot be replaced.
    #[error("cannot write {}: {reason}", path.display())]
    Unwritable {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A file that is no text.
    #[error("{} is not UTF-8 text; save it as UTF-8", path.display())]
    NotText {
        /// Which one.
        path: PathBuf,
    },
    /// A file beyond the limit.
    #[error("{} is larger than {FILE_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// Which one.
        path: PathBuf,
    },
    /// Too many files.
    #[error("{} holds more than {FILES_MAX} rule files", path.display())]
    TooMany {
        /// The directory.
        path: PathBuf,
    },
}

/// All `*.toml` files of a directory, in byte order of their names, as the person's layer. A directory that does not
/// exist holds no rules. Hidden files are left alone, so that an editor's swap file is no rule file.
pub fn read(directory: &Path) -> Result<Vec<Source>, Error> {
    let unreadable = |reason| Error::Unreadable { path: directory.to_owned(), reason };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(e)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".toml") && !name.starts_with('.') {
            paths.push(path);
        }
    }
    if paths.len() > FILES_MAX {
        return Err(Error::TooMany { path: directory.to_owned() });
    }
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    paths.iter().map(|p| file(p)).collect()
}

/// One rule file.
pub fn file(path: &Path) -> Result<Source, Error> {
    let unreadable = |reason| Error::Unreadable { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    // Reading a pipe would wait for a writer, for ever.
    if !metadata.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")));
    }
    if metadata.len() > FILE_BYTES_MAX as u64 {
        return Err(Error::TooLarge { path: path.to_owned() });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::NotText { path: path.to_owned() })?;
    Ok(Source { name: path.display().to_string(), text: text.into(), layer: Layer::User })
}

/// Writes a rule file whole: a reader, a daemon that reloads among them, finds the old text or the new one. What is made
/// anew, directory and file, is the person's alone; a file that exists keeps its mode.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    let unwritable = |reason| Error::Unwritable { path: path.to_owned(), reason };
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unwritable)?;
    // Hidden, so that it is no rule file while it is written.
    let part = directory.join(format!(".{}.part", uuid::Uuid::new_v4().simple()));
    let written = write_and_rename(&part, path, text);
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.and_then(|()| File::open(directory)?.sync_all()).map_err(unwritable)
}

fn write_and_rename(part: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    match fs::metadata(path) {
        Ok(old) => file.set_permissions(old.permissions())?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    crash::point("before a rule file is replaced");
    fs::rename(part, path)?;
    crash::point("after a rule file is replaced");
    Ok(())
}

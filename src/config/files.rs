//! What a configuration may ask about the files it names: whether they are there, and whether others can read them.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Permission bits of group and others.
const OTHERS: u32 = 0o077;
/// Permission bits of others than owner and group, and of a writing group.
const OTHERS_OR_GROUP_WRITE: u32 = 0o027;

/// What is wrong with a file, and what to do.
pub type Complaint = (String, String);

/// The questions. [`OnDisk`] answers them truthfully, [`Unchecked`] finds everything in order.
pub trait Files {
    /// Whether a file with public contents (a CA certificate) can be read.
    fn readable(&self, path: &Path) -> Result<(), Complaint>;
    /// Whether this is a directory that can be entered.
    fn directory(&self, path: &Path) -> Result<(), Complaint>;
    /// The text of a file that may be missing.
    fn text(&self, path: &Path) -> Result<Option<String>, Complaint>;
    /// Whether a file with a secret is the user's own and nobody else's.
    fn private(&self, path: &Path) -> Result<(), Complaint>;
}

/// Looks at the disk.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk {
    /// The effective user; `None` when unknown.
    pub uid: Option<u32>,
}

/// Touches nothing: for text that is not (yet) a file of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Unchecked;

impl Files for Unchecked {
    fn text(&self, _: &Path) -> Result<Option<String>, Complaint> {
        Ok(None)
    }

    fn readable(&self, _: &Path) -> Result<(), Complaint> {
        Ok(())
    }

    fn directory(&self, _: &Path) -> Result<(), Complaint> {
        Ok(())
    }

    fn private(&self, _: &Path) -> Result<(), Complaint> {
        Ok(())
    }
}

impl Files for OnDisk {
    fn text(&self, path: &Path) -> Result<Option<String>, Complaint> {
        match super::load::read_bounded(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err((format!("`{}` is not UTF-8", path.display()), "save it as UTF-8".to_owned()))
            }
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    fn readable(&self, path: &Path) -> Result<(), Complaint> {
        let opened = fs::File::open(path).and_then(|file| file.metadata());
        match opened {
            Ok(meta) if meta.is_file() => Ok(()),
            Ok(_) => Err((format!("`{}` is not a file", path.display()), "name a file in PEM format".to_owned())),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    fn directory(&self, path: &Path) -> Result<(), Complaint> {
        match fs::read_dir(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    fn private(&self, path: &Path) -> Result<(), Complaint> {
        let meta = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
        private(path, &meta, self.uid)
    }
}

/// Judges a secret's file: a plain file, of this user, mode 0600 or less.
pub(crate) fn private(path: &Path, meta: &fs::Metadata, uid: Option<u32>) -> Result<(), Complaint> {
    let shown = path.display();
    if meta.file_type().is_symlink() {
        return Err((format!("`{shown}` is a symbolic link"), "name the file it points to".to_owned()));
    }
    if !meta.is_file() {
        return Err((format!("`{shown}` is not a file"), "name a file that holds the password alone".to_owned()));
    }
    if let Some(uid) = uid.filter(|uid| *uid != meta.uid()) {
        return Err((format!("`{shown}` belongs to another user"), format!("sudo chown {uid} '{shown}'")));
    }
    if meta.mode() & OTHERS != 0 {
        return Err((
            format!("`{shown}` can be read by others (mode {:04o})", meta.mode() & 0o7777),
            format!("chmod 600 '{shown}'"),
        ));
    }
    Ok(())
}

/// Judges the configuration file itself: as [`private`], but a link is followed, and a file of root's, as in `/etc`,
/// may be readable by the group the service runs in.
pub(super) fn own(path: &Path, meta: &fs::Metadata, uid: Option<u32>) -> Vec<Complaint> {
    let shown = path.display();
    let mut complaints = Vec::new();
    let of_root = meta.uid() == 0;
    if let Some(uid) = uid.filter(|uid| *uid != meta.uid() && !of_root) {
        complaints.push((format!("`{shown}` belongs to another user"), format!("sudo chown {uid} '{shown}'")));
    }
    let (forbidden, mode) = if of_root && uid != Some(0) { (OTHERS_OR_GROUP_WRITE, "640") } else { (OTHERS, "600") };
    if meta.mode() & forbidden != 0 {
        complaints.push((
            format!("the configuration can be read or changed by others (mode {:04o})", meta.mode() & 0o7777),
            format!("chmod {mode} '{shown}'"),
        ));
    }
    complaints
}

/// Says why a path cannot be used.
fn unreadable(path: &Path, error: &io::Error) -> Complaint {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => (format!("`{shown}` does not exist"), "check the path, or create it".to_owned()),
        io::ErrorKind::PermissionDenied => {
            (format!("`{shown}` may not be read by this user"), format!("check owner and mode: ls -ld '{shown}'"))
        }
        io::ErrorKind::NotADirectory => (format!("`{shown}` is not a directory"), "name a directory".to_owned()),
        _ => (format!("`{shown}` cannot be read: {error}"), "check the path".to_owned()),
    }
}

/// A path as written in the file: `~/` is the home directory, a relative one starts beside the configuration.
pub(super) fn resolve(written: &str, config_file: &Path, home: Option<&Path>) -> PathBuf {
    if let (Some(rest), Some(home)) = (written.strip_prefix("~/"), home) {
        return home.join(rest);
    }
    config_file.parent().unwrap_or(Path::new("")).join(written)
}

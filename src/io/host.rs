//! The machine and this process on it: modes of a place, whether the service is set up, memory that nobody else reads.
//! Only looking, for `onward doctor`; what it means is decided there.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Where unit files lie below a configuration home, and for the whole system.
const USER_UNIT: &str = "systemd/user/onward.service";
const SYSTEM_UNITS: &[&str] = &[
    "/etc/systemd/system/onward@.service",
    "/usr/lib/systemd/system/onward@.service",
    "/lib/systemd/system/onward@.service",
    "/etc/systemd/user/onward.service",
    "/usr/lib/systemd/user/onward.service",
];
/// systemd keeps a file here for each user whose services run while they are logged out.
const LINGER: &str = "/var/lib/systemd/linger";

/// Keeps the memory of this process, passwords and mail, out of core dumps and from debuggers of the same user. Where
/// the kernel refuses, nothing else is worse for it.
pub fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Permission bits of a path; `None` where it cannot be looked at.
pub fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

/// The files of a directory that others than their owner may read or write, with their permission bits, by name.
pub fn open_to_others(dir: &Path) -> Vec<(PathBuf, u32)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<(PathBuf, u32)> = entries
        .map(|entry| entry.path())
        .filter_map(|path| mode(&path).map(|mode| (path, mode)))
        .filter(|(_, mode)| mode & 0o077 != 0)
        .collect();
    found.sort();
    found
}

/// The unit file that is installed, the person's own first.
pub fn unit(config_home: Option<&Path>) -> Option<PathBuf> {
    let own = config_home.map(|home| home.join(USER_UNIT));
    own.into_iter().chain(SYSTEM_UNITS.iter().map(PathBuf::from)).find(|path| path.exists())
}

/// Whether services of this user run while they are logged out; `None` where there is no systemd to say so.
pub fn lingers(user: &str) -> Option<bool> {
    let linger = Path::new(LINGER);
    Path::new("/run/systemd/system").exists().then(|| linger.join(user).exists())
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn memory_stays_out_of_core_dumps() {
        keep_memory_private();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}

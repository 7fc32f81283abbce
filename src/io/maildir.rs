//! Mail in files: single messages, mbox files, Maildirs and folders of them, for `onward import` and
//! `onward classify`, and the entries of a Maildir that is watched as an account.
//!
//! Reads only; nothing is moved, renamed or marked. It must not look into a message beyond what tells an mbox file.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::clean;

/// Bytes of one message that are read; the rest is passed over. As large as any provider lets mail be.
pub const MESSAGE_BYTES_MAX: usize = 25 << 20;

/// Folders inside folders that are entered; also the end of a loop that no link made.
const DEPTH_MAX: usize = 32;

/// One message found in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct FoundMail {
    /// The path as given, what was found below it appended; of an mbox file with `#1`, `#2` … behind it. Cleaned.
    pub path: String,
    /// The message, at most [`MESSAGE_BYTES_MAX`].
    pub bytes: Vec<u8>,
    /// Whether the message is larger and `bytes` only its beginning.
    pub oversized: bool,
}

impl std::fmt::Debug for FoundMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FoundMail {{ path: {:?}, {} bytes }}", self.path, self.bytes.len())
    }
}

/// A file or folder that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {reason}; {hint}")]
pub struct ReadError {
    /// What was to be read, cleaned.
    pub path: String,
    /// What the system said. Not the `source`: the message holds it already.
    pub reason: io::Error,
    /// What to do about it.
    pub hint: &'static str,
}

impl ReadError {
    /// A folder in which nothing is mail.
    pub fn no_mail(path: &Path) -> ReadError {
        ReadError {
            path: shown(path),
            reason: io::Error::other("there is no mail in it"),
            hint: "mail is what ends in .eml or .mbox, starts like an mbox file, or lies in a Maildir",
        }
    }

    fn new(path: &Path, reason: io::Error) -> ReadError {
        ReadError { path: shown(path), hint: hint(reason.kind()), reason }
    }
}

fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "check the spelling; `-` reads standard input",
        io::ErrorKind::PermissionDenied => "make it readable for this user",
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => "give a message, an mbox file or a folder of them",
        _ => "try again, or copy it to a disk of this machine",
    }
}

/// A path safe to show: the person's own, but file names come from anywhere.
fn shown(path: &Path) -> String {
    clean::line_within(&path.to_string_lossy(), 4096)
}

/// The messages at `path`, in order of their names: a message of any name, an mbox file, or a folder. In a folder and
/// those below it, files that end in `.eml` or `.mbox`, the entries of a Maildir's `new` and `cur`, and files that start like
/// an mbox are mail; hidden files, index files and a Maildir's `tmp` are not. Linked folders are not entered.
///
/// Every file gives at least one item: what cannot be read gives an error. A folder without mail gives none.
pub fn walk(path: &Path) -> Walk {
    Walk { ahead: VecDeque::from([Found { path: path.to_owned(), given: true, depth: 0 }]), mbox: None }
}

/// The messages of a stream, e.g. standard input: one message, or an mbox. `name` stands for the path.
pub fn read_from<R: Read>(name: &str, reader: R) -> Messages<BufReader<R>> {
    Messages::new(clean::line(name), BufReader::new(reader))
}

/// Iterator of [`walk`].
#[derive(Debug)]
pub struct Walk {
    /// What is still to be looked at, in order.
    ahead: VecDeque<Found>,
    /// The file whose messages are being handed out.
    mbox: Option<Messages<BufReader<File>>>,
}

#[derive(Debug)]
struct Found {
    path: PathBuf,
    /// Named by the person, so taken for mail whatever its name.
    given: bool,
    depth: usize,
}

impl Iterator for Walk {
    type Item = Result<FoundMail, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.mbox.as_mut().and_then(Iterator::next) {
                return Some(item);
            }
            self.mbox = None;
            let found = self.ahead.pop_front()?;
            if let Err(source) = self.look_at(&found) {
                return Some(Err(ReadError::new(&found.path, source)));
            }
        }
    }
}

impl Walk {
    /// Puts the folder's entries ahead, or opens the file.
    fn look_at(&mut self, found: &Found) -> io::Result<()> {
        let kind = fs::metadata(&found.path)?;
        if kind.is_dir() {
            if found.depth >= DEPTH_MAX {
                return Err(io::Error::other(format!("more than {DEPTH_MAX} folders inside each other")));
            }
            for below in entries_of(found)?.into_iter().rev() {
                self.ahead.push_front(below);
            }
            return Ok(());
        }
        let messages = Messages::open(&found.path)?;
        if found.given || is_mail_name(&found.path) || messages.is_mbox() {
            self.mbox = Some(messages);
        }
        Ok(())
    }
}

/// What is worth looking at in a folder, sorted by name.
fn entries_of(folder: &Found) -> io::Result<Vec<Found>> {
    let mut entries = Vec::new();
    let is_maildir = is_maildir(&folder.path);
    for entry in fs::read_dir(&folder.path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Maildir++ keeps its sub-mailboxes in hidden folders; other hidden files are indexes and caches.
        let hidden = name.starts_with('.') && !is_maildir_folder(&entry.path(), kind);
        let passed_over = hidden
            || (is_maildir && (name == "tmp" || (kind.is_file() && is_index(&name))))
            || (kind.is_symlink() && entry.path().is_dir())
            || !(kind.is_dir() || entry.path().is_file());
        if !passed_over {
            entries.push(Found { path: entry.path(), given: false, depth: folder.depth + 1 });
        }
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

fn is_maildir_folder(path: &Path, kind: fs::FileType) -> bool {
    kind.is_dir() && is_maildir(path)
}

/// Files that mail servers keep beside the messages.
fn is_index(name: &str) -> bool {
    ["dovecot", "maildir", "subscriptions", "courier"].iter().any(|start| name.starts_with(start))
}

/// Whether a file met in a folder is mail by its name or place.
fn is_mail_name(path: &Path) -> bool {
    let ends = path.extension().is_some_and(|end| ["eml", "mbox"].iter().any(|mail| end.eq_ignore_ascii_case(mail)));
    let parent = path.parent();
    let in_maildir = parent.is_some_and(|parent| {
        parent.file_name().is_some_and(|name| name == "cur" || name == "new") && parent.parent().is_some_and(is_maildir)
    });
    ends || in_maildir
}

/// The messages of one file or stream: several where its first line starts with `From `, one otherwise. Holds one
/// message at a time.
#[derive(Debug)]
pub struct Messages<R> {
    name: String,
    reader: R,
    mbox: bool,
    /// The first separator told a time, so a line without one is text that was not escaped.
    timed: bool,
    /// Messages handed out.
    number: usize,
    done: bool,
}

impl Messages<BufReader<File>> {
    fn open(path: &Path) -> io::Result<Self> {
        let mut messages = Messages::new(shown(path), BufReader::new(File::open(path)?));
        messages.detect()?;
        Ok(messages)
    }
}

impl<R: BufRead> Messages<R> {
    fn new(name: String, reader: R) -> Self {
        Messages { name, reader, mbox: false, timed: false, number: 0, done: false }
    }

    fn is_mbox(&self) -> bool {
        self.mbox
    }

    /// Looks at the first bytes. A pipe may give fewer than asked for, but never none before its end.
    fn detect(&mut self) -> io::Result<()> {
        self.mbox = self.reader.fill_buf()?.starts_with(SEPARATOR);
        Ok(())
    }

    fn is_separator(&self, line: &[u8]) -> bool {
        line.starts_with(SEPARATOR) && (tells_time(line) || !self.timed)
    }

    fn read_next(&mut self) -> io::Result<Option<FoundMail>> {
        if self.number == 0 {
            self.detect()?;
        }
        let mut found = FoundMail { path: self.name.clone(), bytes: Vec::new(), oversized: false };
        if !self.mbox {
            self.done = true;
            take_up_to(&mut self.reader, &mut found)?;
            return Ok(Some(found));
        }
        let mut line = Vec::new();
        if self.number == 0 {
            read_line(&mut self.reader, &mut line)?;
            self.timed = tells_time(&line);
        }
        self.number += 1;
        found.path = format!("{}#{}", self.name, self.number);
        let mut after_empty_line = false;
        loop {
            let ended = read_line(&mut self.reader, &mut line)? == 0;
            if ended || (after_empty_line && self.is_separator(&line)) {
                self.done = ended;
                // The empty line before a separator belongs to the separator.
                without_last_line_end(&mut found.bytes, after_empty_line);
                return Ok(Some(found));
            }
            after_empty_line = matches!(line.as_slice(), b"\n" | b"\r\n");
            let unescaped = if is_escaped(&line) { line.get(1..).unwrap_or_default() } else { &line };
            append(&mut found, unescaped);
        }
    }
}

impl<R: BufRead> Iterator for Messages<R> {
    type Item = Result<FoundMail, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        self.read_next()
            .map_err(|reason| {
                self.done = true;
                ReadError { path: self.name.clone(), hint: hint(reason.kind()), reason }
            })
            .transpose()
    }
}

/// What starts each message of an mbox file.
const SEPARATOR: &[u8] = b"From ";

/// Whether `hh:mm` stands in the line.
fn tells_time(line: &[u8]) -> bool {
    line.windows(3).any(|w| matches!(w, [a, b':', b] if a.is_ascii_digit() && b.is_ascii_digit()))
}

/// Longest piece of a line read at once; a longer line comes in pieces and needs no more memory.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Reads a line, or a piece of a long one, into `line`; gives its length, 0 at the end.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', line)
}

/// mboxrd writes a line of the message that starts with `>`s and `From ` with one `>` more.
fn is_escaped(line: &[u8]) -> bool {
    let marks = line.iter().take_while(|&&b| b == b'>').count();
    marks > 0 && line.get(marks..).is_some_and(|rest| rest.starts_with(SEPARATOR))
}

fn append(found: &mut FoundMail, line: &[u8]) {
    let room = MESSAGE_BYTES_MAX - found.bytes.len().min(MESSAGE_BYTES_MAX);
    found.oversized |= line.len() > room;
    found.bytes.extend_from_slice(line.get(..room).unwrap_or(line));
}

fn without_last_line_end(bytes: &mut Vec<u8>, empty_line: bool) {
    if empty_line {
        let kept =
            bytes.strip_suffix(b"\n").map(|b| b.strip_suffix(b"\r").unwrap_or(b)).map_or(bytes.len(), <[u8]>::len);
        bytes.truncate(kept);
    }
}

/// Reads a whole stream up to the limit.
fn take_up_to(reader: &mut impl BufRead, found: &mut FoundMail) -> io::Result<()> {
    reader.by_ref().take(MESSAGE_BYTES_MAX as u64).read_to_end(&mut found.bytes)?;
    found.oversized = !reader.fill_buf()?.is_empty();
    Ok(())
}

/// One message in a watched Maildir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaildirEntry {
    /// The unique part of the file name, without flags: it stays when the message is read, moved to `cur` or flagged.
    pub key: String,
    /// Where the file is now.
    pub path: PathBuf,
    /// When the file was last modified: its delivery.
    pub modified: Timestamp,
}

/// The messages in `new` and `cur` of the Maildir `dir`, oldest first. A file that another program renames meanwhile is
/// left to the next look.
///
/// # Errors
/// When `dir` is no Maildir (it has no `new` and `cur`) or may not be read.
pub fn entries(dir: &Path) -> io::Result<Vec<MaildirEntry>> {
    let mut entries = Vec::new();
    for sub in ["new", "cur"] {
        for entry in fs::read_dir(dir.join(sub))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let modified = match entry.metadata() {
                Ok(metadata) if metadata.is_file() && !name.starts_with('.') => metadata.modified()?,
                Ok(_) => continue,
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => continue,
                Err(other) => return Err(other),
            };
            let key = name.split(":2,").next().unwrap_or_default().to_owned();
            let modified = Timestamp::try_from(modified).unwrap_or(Timestamp::UNIX_EPOCH);
            entries.push(MaildirEntry { key, path: entry.path(), modified });
        }
    }
    entries.sort_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    // Renamed from `new` to `cur` between the two looks.
    entries.dedup_by(|a, b| a.key == b.key);
    Ok(entries)
}

/// Reads one message of a Maildir, up to [`MESSAGE_BYTES_MAX`].
///
/// # Errors
/// When the file cannot be read; another program may have renamed it since [`entries`].
pub fn read_entry(path: &Path) -> Result<FoundMail, ReadError> {
    let mut found = FoundMail { path: shown(path), bytes: Vec::new(), oversized: false };
    File::open(path)
        .and_then(|file| take_up_to(&mut BufReader::new(file), &mut found))
        .map_err(|source| ReadError::new(path, source))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn found(root: &Path, below: &str) -> Vec<(String, String)> {
        let prefix = format!("{}/", root.display());
        walk(&root.join(below))
            .map(|mail| mail.unwrap())
            .map(|mail| (mail.path.replace(&prefix, ""), String::from_utf8(mail.bytes).unwrap()))
            .collect()
    }

    const MBOX: &str = "From a@b Mon Feb  3 10:00:00 2025\nSubject: 1\n\nhello\n>From me\n>>From you\n\nFrom c@d Tue Feb  4 10:00:00 2025\nSubject: 2\n\nFrom here on\nbye\n";

    #[test]
    fn mbox_files_are_cut_into_messages() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "box", MBOX);
        write(dir.path(), "crlf", &MBOX.replace('\n', "\r\n"));
        let first = "Subject: 1\n\nhello\nFrom me\n>From you\n";
        let second = "Subject: 2\n\nFrom here on\nbye\n";
        let expected = [("box#1".to_owned(), first.to_owned()), ("box#2".to_owned(), second.to_owned())];
        assert_eq!(found(dir.path(), "box"), expected);
        assert_eq!(found(dir.path(), "crlf").first().unwrap().1, first.replace('\n', "\r\n"));
    }

    #[test]
    fn folders_are_walked_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("b.eml", "B"),
            ("a/x.EML", "X"),
            ("a/notes.txt", "no mail"),
            ("a/.hidden.eml", "no"),
            ("old", "From a@b Mon\nSubject: 1\n\nhi\n"),
            ("md/cur/1.x:2,S", "one"),
            ("md/new/2.x", "two"),
            ("md/tmp/3.x", "no"),
            ("md/dovecot.index", "no"),
            ("md/.Sent/cur/4.x:2,", "four"),
            ("md/.Sent/new/.keep", "no"),
        ] {
            write(dir.path(), name, text);
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
        let names: Vec<String> =
            found(dir.path(), "").into_iter().map(|(path, _)| path.trim_start_matches('/').to_owned()).collect();
        assert_eq!(names, ["a/x.EML", "b.eml", "md/.Sent/cur/4.x:2,", "md/cur/1.x:2,S", "md/new/2.x", "old#1"]);
    }

    #[test]
    fn every_input_gives_an_item() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "empty", "");
        assert_eq!(found(dir.path(), "empty"), [("empty".to_owned(), String::new())]);
        let missing: Vec<_> = walk(&dir.path().join("none.eml")).collect();
        let error = missing.first().unwrap().as_ref().unwrap_err().to_string();
        assert!(missing.len() == 1 && error.contains("none.eml") && error.contains("spelling"), "{error}");
        assert_eq!(read_from("-", &b""[..]).count(), 1);
        assert_eq!(read_from("-", MBOX.as_bytes()).count(), 2);
    }

    #[test]
    fn large_messages_are_read_in_part() {
        let long = io::repeat(b'x').take(MESSAGE_BYTES_MAX as u64 + 5);
        let mail = read_from("-", long).next().unwrap().unwrap();
        assert!(mail.oversized && mail.bytes.len() == MESSAGE_BYTES_MAX);
        let in_mbox = (&b"From a\n"[..])
            .chain(io::repeat(b'x').take(MESSAGE_BYTES_MAX as u64 + 5))
            .chain(&b"\n\nFrom b\nhi\n"[..]);
        let mails: Vec<_> = read_from("-", in_mbox).map(Result::unwrap).collect();
        assert_eq!(
            mails.iter().map(|m| (m.oversized, m.bytes.len())).collect::<Vec<_>>(),
            [(true, MESSAGE_BYTES_MAX), (false, 3)]
        );
    }

    #[test]
    fn watched_entries_keep_their_key() {
        let dir = tempfile::tempdir().unwrap();
        assert!(entries(dir.path()).is_err());
        write(dir.path(), "new/1.a", "one");
        write(dir.path(), "cur/2.b:2,RS", "two");
        write(dir.path(), "cur/.index", "");
        let mut keys: Vec<_> = entries(dir.path()).unwrap().into_iter().map(|e| e.key).collect();
        keys.sort();
        assert_eq!(keys, ["1.a", "2.b"]);
        fs::rename(dir.path().join("new/1.a"), dir.path().join("cur/1.a:2,S")).unwrap();
        let moved = entries(dir.path()).unwrap().into_iter().find(|e| e.key == "1.a").unwrap();
        assert_eq!(read_entry(&moved.path).unwrap().bytes, b"one");
    }
}

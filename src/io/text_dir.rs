//! Reads the person's own texts: reply templates, notes, the reply policy. What they mean is decided in the core.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Largest file read, in bytes: far beyond any set of texts.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most files read from one directory.
const FILES_MAX: usize = 200;
/// How deep directories are entered: `reply/en/thank-you.md` is two.
const DEPTH_MAX: usize = 4;

/// All files with that ending below a directory, as name and text, in byte order of their paths. A directory that does
/// not exist holds none.
pub fn read(dir: &Path, ending: &str) -> io::Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    collect(dir, ending, DEPTH_MAX, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if let Some(text) = file(&path)? {
            files.push((path.display().to_string(), text));
        }
    }
    Ok(files)
}

/// One file's text; `None` where there is no such file.
pub fn file(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {FILE_BYTES_MAX} bytes")))
        }
        // Reading a pipe would wait for a writer, for ever.
        Ok(metadata) if !metadata.is_file() => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
        Ok(_) => fs::read_to_string(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn collect(dir: &Path, ending: &str, depth: usize, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            if depth > 0 {
                collect(&path, ending, depth - 1, paths)?;
            }
        } else if path.extension().is_some_and(|e| e == ending) {
            if paths.len() >= FILES_MAX {
                return Err(io::Error::other(format!("more than {FILES_MAX} files")));
            }
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_ending_and_nothing_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("en")).unwrap();
        for name in ["en/b.md", "en/.b.md.swp", "a.md", "a.txt"] {
            fs::write(root.join(name), name).unwrap();
        }
        let texts: Vec<String> = read(root, "md").unwrap().into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["a.md", "en/b.md"]);
        assert_eq!(read(&root.join("none"), "md").unwrap(), []);
        assert_eq!(file(&root.join("none.toml")).unwrap(), None);
        let pipe = root.join("pipe.md");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(file(&pipe).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}

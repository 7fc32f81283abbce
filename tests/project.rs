//! What holds for the tree as a whole: licences, layers, required files, units that systemd accepts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::skip::skipped;

/// Licences a dependency may have: all let a binary be passed on under MIT or Apache-2.0.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Modules without I/O, clock or logging, as a file or a directory of `src/`.
const CORE: &[&str] = &[
    "classify", "clean", "delivery", "draft", "learn", "message", "note", "outcome", "pace", "reply", "rules", "stats",
    "sync", "telling",
];

/// What a core module must not contain, tests aside.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io",
    "std::thread",
    "tokio",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "tracing",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "async fn",
    "crate::io",
    "crate::app",
    "crate::ui",
    "crate::config",
    "crate::secret",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file of the project, by path from its root: what is committed or about to be.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    let mut files = match listed {
        Some(output) => String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(PathBuf::from).collect(),
        // A source archive has no history.
        None => walk(root()),
    };
    files.retain(|file| root().join(file).is_file());
    assert!(files.len() > 50, "{files:?}");
    files
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            found.extend(walk(&path));
        } else if path.is_file() {
            found.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
    found
}

/// The Rust files of a folder, by path with forward slashes.
fn rust_files(folder: &str) -> Vec<String> {
    let inside = |file: &PathBuf| file.starts_with(folder) && file.extension().is_some_and(|end| end == "rs");
    files().into_iter().filter(inside).map(|file| file.to_str().unwrap().replace('\\', "/")).collect()
}

/// The code of a file without comments and without the tests at its end.
fn code(file: &str) -> String {
    let text = read(file);
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    code.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect::<Vec<_>>().join("\n")
}

/// Where `words` occur in `files`, as `file:line: word`.
fn occurrences(files: impl IntoIterator<Item = String>, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in code(&file).lines().enumerate() {
            let hits = words.iter().filter(|word| holds_word(line, word));
            found.extend(hits.map(|word| format!("{file}:{}: {word}", number + 1)));
        }
    }
    found
}

/// Whether a word stands in a line, not as the end or the beginning of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part_of_name);
        let after = line[at + word.len()..].chars().next().is_some_and(part_of_name);
        !(before || after && word.ends_with(part_of_name))
    })
}

#[test]
fn words_are_found_as_words() {
    for (line, word, expected) in [
        ("use tokio::net;", "tokio", true),
        ("let tokio_like = 1;", "tokio", false),
        ("eprintln!(x)", "println!", false),
        ("x; println!(x)", "println!", true),
        ("use crate::io;", "crate::io", true),
        ("use crate::iot;", "crate::io", false),
        ("use std::fs::File;", "std::fs", true),
    ] {
        assert_eq!(holds_word(line, word), expected, "{line}");
    }
}

fn none(found: &[String], meaning: &str) {
    assert!(found.is_empty(), "{meaning}:\n  {}", found.join("\n  "));
}

fn layer(file: &str) -> &str {
    file.strip_prefix("src/").and_then(|rest| rest.split(['/', '.']).next()).unwrap_or_default()
}

#[test]
fn core_does_no_io_and_knows_no_shell() {
    let core: Vec<String> = rust_files("src").into_iter().filter(|file| CORE.contains(&layer(file))).collect();
    assert!(core.len() >= 10, "{core:?}");
    none(&occurrences(core, IMPURE), "core modules are pure; take `now` or the data as an argument");
}

#[test]
fn every_module_is_in_a_layer() {
    let known: BTreeSet<&str> =
        CORE.iter().copied().chain(["app", "config", "io", "lib", "main", "secret", "ui"]).collect();
    let unknown: Vec<String> = rust_files("src").into_iter().filter(|file| !known.contains(layer(file))).collect();
    none(&unknown, "say in tests/project.rs whether this is core");
}

#[test]
fn dependencies_point_one_way() {
    let of = |name: &str| rust_files("src").into_iter().filter(|file| layer(file) == name).collect::<Vec<_>>();
    none(&occurrences(of("io"), &["crate::app", "crate::ui"]), "io knows neither app nor ui");
    none(&occurrences(of("app"), &["crate::ui"]), "app does not know ui");
}

#[test]
fn only_the_store_holds_sql_and_only_ui_prints() {
    let outside = |kept: &[&str]| {
        let kept: Vec<String> = kept.iter().map(|path| (*path).to_owned()).collect();
        rust_files("src").into_iter().filter(move |file| !kept.iter().any(|path| file.starts_with(path))).collect()
    };
    let sql: Vec<String> = outside(&["src/io/store"]);
    none(
        &occurrences(sql, &["rusqlite", "INSERT INTO", "DELETE FROM", "CREATE TABLE", "PRAGMA"]),
        "SQL lives in io/store",
    );
    // The log goes to standard error, where systemd reads it.
    let printing: Vec<String> = outside(&["src/ui/", "src/main.rs", "src/io/log.rs"]);
    let words = ["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"];
    none(&occurrences(printing, &words), "only ui prints");
}

#[test]
fn only_io_reads_the_clock_and_opens_sockets() {
    // The demo's server is the other end of the wire; `config` and `secret` read files and environment by design.
    let outside =
        rust_files("src").into_iter().filter(|file| layer(file) != "io" && !file.starts_with("src/app/demo/server"));
    let words = ["Timestamp::now", "Zoned::now", "SystemTime", "TcpStream", "TcpListener", "UnixListener", "UdpSocket"];
    none(&occurrences(outside, &words), "clock and sockets live in io");
}

#[test]
fn required_files_exist() {
    let missing: Vec<String> = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "Makefile",
        "README.md",
        "SECURITY.md",
        ".ci/run",
        "config.example.toml",
        "rules",
        "systemd/onward.service",
        "systemd/onward@.service",
        "templates",
    ]
    .into_iter()
    .filter(|path| !root().join(path).exists())
    .map(str::to_owned)
    .collect();
    none(&missing, "required at the top");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = ["src", "tests"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|file| !read(file).starts_with("//! ") && !file.starts_with("tests/data"))
        .collect();
    none(&silent, "a file opens with `//!`: what it is for, what it must not do");
}

#[test]
fn no_file_is_forgotten() {
    let mut orphans = Vec::new();
    for folder in ["src", "tests"] {
        for file in rust_files(folder) {
            let path = Path::new(&file);
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let directory = path.parent().unwrap();
            let (name, directory) = if stem == "mod" {
                (directory.file_name().unwrap().to_str().unwrap(), directory.parent().unwrap())
            } else {
                (stem, directory)
            };
            if ["src/lib.rs", "src/main.rs", "tests/main.rs"].contains(&file.as_str()) {
                continue;
            }
            let parents = ["mod.rs", "lib.rs", "main.rs"].map(|parent| directory.join(parent));
            let beside = directory.with_extension("rs");
            let declared =
                parents.iter().chain([&beside]).filter_map(|parent| fs::read_to_string(root().join(parent)).ok());
            let declared = declared.into_iter().any(|text| text.contains(&format!("mod {name};")));
            if !declared {
                orphans.push(file);
            }
        }
    }
    none(&orphans, "no `mod` line names this file, so nobody compiles it");
}

#[test]
fn nothing_is_left_for_later() {
    // Written in two halves, so that this file does not find itself.
    let words = [
        concat!("#[ig", "nore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
    ];
    let mut found = Vec::new();
    for file in ["src", "tests"].into_iter().flat_map(rust_files) {
        let text = read(&file);
        let lines = text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        found.extend(lines.map(|(number, line)| format!("{file}:{}: {}", number + 1, line.trim())));
    }
    none(&found, "finish it or leave it out");
}

#[test]
fn no_file_names_a_machine() {
    let private = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tm", "p/"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("registry.np", "mjs"),
    ];
    let mut found = Vec::new();
    for file in files() {
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            // What follows a variable is no path of a machine: only one that begins there is.
            let starts = |needle: &str| {
                line.match_indices(needle).any(|(at, _)| {
                    !needle.starts_with('/')
                        || line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"}._-/".contains(c))
                })
            };
            let hits = private.iter().filter(|needle| starts(needle));
            found.extend(hits.map(|needle| format!("{}:{}: {needle}", file.display(), number + 1)));
        }
    }
    none(&found, "no path of a machine, no registry host in a committed file");
}

#[test]
fn the_changelog_has_this_version() {
    let heading = format!("\n## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(read("CHANGELOG.md").contains(&heading), "CHANGELOG.md lacks {}", heading.trim());
}

/// Every alternative of an SPDX expression that holds only listed licences would do; one is enough.
fn acceptable(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    // Brackets in practice are `(A OR B) AND C`: each AND part needs one acceptable alternative.
    expression.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn licence_expressions_are_read() {
    for (expression, expected) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("MIT AND LGPL-2.1-or-later", false),
        ("CDLA-Permissive-2.0", false),
        ("", false),
    ] {
        assert_eq!(acceptable(expression), expected, "{expression}");
    }
}

#[test]
fn every_dependency_may_be_passed_on() {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version=1", "--all-features", "--locked"])
        .output()
        .unwrap();
    if !output.status.success() {
        // The optional dependencies are fetched the first time; without a network they may not be there.
        skipped(&format!("licences: cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let mut offenders = BTreeMap::new();
    for package in packages {
        let licence = package["license"].as_str().unwrap_or_default();
        if !acceptable(licence) {
            let name = format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
            offenders.insert(name, licence.to_owned());
        }
    }
    let found: Vec<String> = offenders.into_iter().map(|(name, licence)| format!("{name}: `{licence}`")).collect();
    none(&found, "licences that are not on the list");
}

/// Copies a unit with a program that is on every machine in place of ours.
fn unit_copy(directory: &Path, name: &str) -> PathBuf {
    let text: Vec<String> = read(format!("systemd/{name}"))
        .lines()
        .map(|line| if line.starts_with("ExecStart=") { "ExecStart=/bin/true".to_owned() } else { line.to_owned() })
        .collect();
    let path = directory.join(name);
    fs::write(&path, text.join("\n") + "\n").unwrap();
    path
}

/// Runs `systemd-analyze`; `None`, and a line that says so, where there is none.
fn analyze(runtime: &Path, arguments: &[&str], unit: &Path) -> Option<(bool, String)> {
    let mut command = Command::new("systemd-analyze");
    // A user manager is looked for there, and verify must not find the one of whoever runs the tests.
    command.env("XDG_RUNTIME_DIR", runtime).env("SYSTEMD_PAGER", "").args(arguments).arg(unit);
    match command.output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
        }
        Err(_) => {
            skipped("systemd-analyze not found: apt-get install systemd");
            None
        }
    }
}

#[test]
fn systemd_accepts_the_units_without_a_word() {
    let directory = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("onward@.service", &["--man=no", "verify"][..]),
        ("onward.service", &["--man=no", "--user", "verify"]),
        ("onward.service", &["--man=no", "verify"]),
    ] {
        let unit = unit_copy(directory.path(), name);
        let Some((fine, said)) = analyze(directory.path(), arguments, &unit) else { return };
        // A misspelt setting is only printed, not a failure.
        assert!(fine && said.trim().is_empty(), "{name}: {said}");
    }
}

#[test]
fn the_system_unit_is_hardened() {
    let directory = tempfile::tempdir().unwrap();
    let unit = unit_copy(directory.path(), "onward@.service");
    // The threshold is in tenths: exposure 2.0 of 10.
    let arguments = ["security", "--offline=true", "--threshold=20"];
    let Some((fine, said)) = analyze(directory.path(), &arguments, &unit) else { return };
    assert!(fine, "{said}");
}

#[test]
fn the_units_agree_with_the_daemon() {
    for name in ["onward.service", "onward@.service"] {
        let text = read(format!("systemd/{name}"));
        for line in [
            "Type=notify",
            "Restart=on-failure",
            // Usage, permission, configuration (sysexits); 74 and 75 are tried again.
            "RestartPreventExitStatus=64 77 78",
            "ExecReload=/bin/kill -HUP $MAINPID",
            "UMask=0077",
            "NoNewPrivileges=yes",
        ] {
            assert!(text.lines().any(|have| have == line), "{name} lacks {line}");
        }
        // Every line of the hardening part has its reason above it or shares the one of its neighbour.
        let (_, hardening) = text.split_once("# --- hardening").unwrap();
        let (hardening, _) = hardening.split_once("[Install]").unwrap();
        let lines = |test: fn(&str) -> bool| hardening.lines().filter(|line| test(line)).count();
        assert!(
            lines(|line| line.starts_with("# ")) * 3 > lines(|line| line.contains('=') && !line.starts_with('#')) * 2
        );
    }
}

/// Every test that ARCHITECTURE.md names is there, in a file of that name.
/// The tests that a document names as `module::test`; each has to be there.
fn named_tests(text: &str) -> usize {
    let named = text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::"));
    let files = files();
    let mut count = 0;
    for (module, test) in named.filter(|(_, test)| test.contains('_')) {
        let of_module = |path: &&PathBuf| {
            path.extension().is_some_and(|e| e == "rs") && path.file_stem().is_some_and(|stem| stem == module)
        };
        let mut sources = files.iter().filter(of_module).map(|path| fs::read_to_string(root().join(path)).unwrap());
        assert!(sources.any(|source| source.contains(&format!("fn {test}("))), "no test {module}::{test}");
        count += 1;
    }
    count
}

#[test]
fn the_architecture_names_real_tests() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let count = named_tests(&text);
    assert!(count >= 15, "only {count} tests are named");
}

/// The table of faults is whole, its tests exist, and no more rows than these are without one.
#[test]
fn every_fault_has_its_test() {
    const FAULTS: [(char, u32); 9] =
        [('A', 19), ('B', 31), ('C', 14), ('D', 11), ('E', 7), ('F', 21), ('G', 17), ('I', 13), ('J', 7)];
    let text = fs::read_to_string(root().join("docs/faults.md")).unwrap();
    named_tests(&text);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |").map(|row| row.split(" | ").collect()))
        .filter(|row: &Vec<&str>| row.len() == 3 && row[0] != "fault")
        .collect();
    let found: Vec<String> = rows.iter().map(|row| row[0].to_owned()).collect();
    let wanted: Vec<String> =
        FAULTS.iter().flat_map(|(section, count)| (1..=*count).map(move |n| format!("{section}{n}"))).collect();
    assert_eq!(found, wanted);
    let untested: Vec<&str> = rows.iter().filter(|row| !row[2].contains("::")).map(|row| row[0]).collect();
    assert_eq!(untested, Vec::<&str>::new());
    assert!(rows.iter().all(|row| row[1].len() > 20), "each says what happens");
}

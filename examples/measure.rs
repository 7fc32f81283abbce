use std::io::Write;
use onward::{classify, io::rules_dir, message::{Fetched, Message}, rules, ui::cli};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let t0 = std::time::Instant::now();
    let mut s = rules_dir::read(a[1].as_ref()).unwrap();
    s.retain(|s| !s.name.ends_with("replies.toml"));
    let set = match rules::load(&s) { Ok(s) => s, Err(p) => { for d in p { eprintln!("{d}"); } std::process::exit(2) } };
    eprintln!("load {:?} {} rules {} phrases", t0.elapsed(), set.rules().len(), set.phrase_count());
    if a[2] == "check" {
        for d in set.warnings() { println!("{d}"); }
        let t = std::time::Instant::now();
        let r = rules::check(&set);
        for f in r.failures.iter().chain(&r.closed) { println!("{f}"); }
        println!("{} rules {} examples {} messages {} failures {:?}", r.rules, r.examples, r.messages, r.failures.len(), t.elapsed());
        return;
    }
    let mut files: Vec<_> = Vec::new();
    fn walk(p: &std::path::Path, out: &mut Vec<std::path::PathBuf>) { if p.is_dir() { for e in std::fs::read_dir(p).unwrap() { walk(&e.unwrap().path(), out) } } else { out.push(p.to_owned()) } }
    walk(a[2].as_ref(), &mut files);
    files.retain(|p| p.extension().map_or(true, |e| e != "jsonl"));
    files.sort();
    let mut out = std::io::BufWriter::new(std::fs::File::create(&a[3]).unwrap());
    let mut worst = (std::time::Duration::ZERO, String::new());
    let t1 = std::time::Instant::now();
    for p in &files {
        let bytes = std::fs::read(p).unwrap();
        let m = Message::parse(&bytes, Fetched::Whole);
        let t = std::time::Instant::now();
        let c = classify::classify(&set, &m);
        if t.elapsed() > worst.0 { worst = (t.elapsed(), p.display().to_string()); }
        if a.len() > 4 { for b in &m.blocks { println!("{:?} {} {}", b.zone, b.paragraph, b.text); } println!("{:#?}", c); }
        cli::classify::json(&mut out, &p.display().to_string(), &m, &c).unwrap();
    }
    out.flush().unwrap();
    eprintln!("{} files in {:?}, worst {:?}", files.len(), t1.elapsed(), worst);
}

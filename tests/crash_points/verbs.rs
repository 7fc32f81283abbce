//! What the person says is done or not done, whatever the moment; what takes several steps is finished by saying it
//! again.

use onward::{io::clock, reply::editable};

use super::at_every_point;
use crate::support::{crash::facts, home::Home, mail::sample};

/// A home with three noes, an invitation and a newsletter.
fn home() -> Home {
    let home = Home::with_maildir("");
    for n in [0, 2, 3, 4, 5] {
        home.deliver(&format!("{n}.sample"), &sample(n).bytes);
    }
    assert_eq!(home.one(&["once"])["stored"], 5);
    home
}

/// Runs a verb ended at each of its points: the log says what it said before or what it says afterwards, and the verb,
/// said again where it was not done, does it. One that has `steps` may lie in between, and is said again anyway.
fn done_or_not_done(base: &Home, verb: &[&str], steps: bool) {
    let before = facts(&base.log());
    let calm = base.copy();
    let whole = calm.run_until(0, verb);
    let after = facts(&calm.log());
    assert_ne!(before, after, "{verb:?}: {}", whole.said);
    let (mut undone, mut done) = (0, 0);
    let points = at_every_point(|at| {
        let home = base.copy();
        let run = home.run_until(at, verb);
        let point = run.points.last();
        // A log that is being put back may be gone just now, with its copies beside it: then it is to be put back.
        let found = (!steps || home.database().exists()).then(|| facts(&home.log()));
        assert!(steps || found.as_ref() == Some(&before) || found.as_ref() == Some(&after), "{verb:?}: {point:?}");
        let is_done = found.as_ref() == Some(&after);
        done += usize::from(is_done);
        undone += usize::from(!is_done);
        if !is_done || steps {
            let said = home.verb(verb);
            assert_eq!(said.code, 0, "{verb:?} again after {point:?}: {said:?}");
            if !steps {
                assert_eq!(facts(&home.log()), after, "{verb:?} again after {point:?}");
            }
        }
        if steps {
            // Said twice it is on record twice; what holds is the same.
            let holds = |facts: &[String]| -> Vec<String> {
                facts.iter().filter(|line| !line.starts_with("event ")).cloned().collect()
            };
            assert_eq!(holds(&facts(&home.log())), holds(&after), "{verb:?} again after {point:?}");
        }
        run
    });
    assert_eq!(points, whole.points, "{verb:?}: every point was tried");
    assert!(undone > 0 && done > 0, "{verb:?}: {undone}, {done}");
    println!("{verb:?}: {} points", points.len());
}

#[test]
fn a_correction_that_ends_at_any_point_is_made_or_not_made() {
    let home = home();
    let fix = ["fix", "1", "--as", "on_hold"];
    done_or_not_done(&home, &fix, false);
    assert_eq!(home.verb(&fix).code, 0);
    done_or_not_done(&home, &["undo", "1"], false);
}

#[test]
fn a_word_about_a_draft_that_ends_at_any_point_is_said_or_not_said() {
    let home = home();
    done_or_not_done(&home, &["draft", "edit", "1", "--to", "somebody@larkfield.example"], false);
    let digest = home.log().draft(1).unwrap().digest.to_string();
    let approve = ["draft", "approve", "1", "--digest", &digest, "--later"];
    done_or_not_done(&home, &approve, false);
    assert_eq!(home.verb(&approve).code, 0);
    let text = editable(&home.log().draft(1).unwrap().bytes).unwrap().to_text();
    home.write("letter", &text.replace("\nRobin Hale", "\nUntil another time.\n\nRobin Hale"));
    let letter = home.config_dir().join("letter");
    done_or_not_done(&home, &["draft", "edit", "1", "--file", letter.to_str().unwrap()], false);
    let discard = ["draft", "discard", "1"];
    done_or_not_done(&home, &discard, false);
    assert_eq!(home.verb(&discard).code, 0);
    done_or_not_done(&home, &["draft", "restore", "1"], false);
}

#[test]
fn what_takes_steps_is_finished_by_saying_it_again() {
    let home = home();
    home.log().back_up(clock::now()).unwrap().unwrap();
    assert_eq!(home.verb(&["draft", "discard", "1"]).code, 0);
    done_or_not_done(&home, &["forget", "1"], true);
    done_or_not_done(&home, &["restore"], true);
}

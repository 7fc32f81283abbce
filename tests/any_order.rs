//! The daemon, and everything that may happen to it, in any order: mail comes, goes, moves and is renumbered, the network
//! is cut, servers fail, the person approves and edits, and the daemon is killed. What has to hold holds at every kill and
//! at the end (the invariants I1 to I5 and I7 of the list that `docs/faults.md` follows; that nothing private is said, I6,
//! is looked after where the whole program runs: `crash_points`, `e2e`).

mod world;

use std::thread;

use self::world::World;

/// Stories, how many steps each has, and where the series of random numbers begins. A failure prints its story; the seed
/// repeats it as far as clocks do.
const STORIES: u64 = 4;
const STEPS: usize = 18;
const SEED: u64 = 0x0a11_0bde;

/// Xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Something that happens. A number says which of those there are.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A no comes.
    No,
    /// Something else comes.
    Newsletter,
    /// A mail comes once more.
    Again(usize),
    /// A mail is deleted.
    Expunge(usize),
    /// A mail is put into the other mailbox.
    Move(usize),
    /// The mailbox gets another UIDVALIDITY and other UIDs.
    Renumber,
    /// Every connection ends.
    Cut,
    /// No mailbox can be opened for a while.
    Refuse,
    /// The next command of this number goes wrong.
    Stumble(usize),
    /// The server for replies fails at this place until the daemon is killed.
    Trouble(usize),
    /// The daemon is killed, and another one starts.
    Kill,
    /// The person approves a draft that waits.
    Approve(usize),
    /// The person writes another text.
    Edit(usize),
    /// The person drops a draft.
    Discard(usize),
}

fn step(random: &mut Random) -> Step {
    let number = random.below(1000);
    match random.below(30) {
        0..=5 => Step::No,
        6 => Step::Newsletter,
        7 => Step::Again(number),
        8 => Step::Expunge(number),
        9..=10 => Step::Move(number),
        11 => Step::Renumber,
        12 => Step::Cut,
        13 => Step::Refuse,
        14..=15 => Step::Stumble(number),
        16..=17 => Step::Trouble(number),
        18..=20 => Step::Kill,
        21..=26 => Step::Approve(number),
        27..=28 => Step::Edit(number),
        _ => Step::Discard(number),
    }
}

/// Plays a story; its steps are printed as they happen, which shows only where it fails.
fn play(world: &mut World, story: u64) {
    let mut random = Random(SEED + story * 0x9e37_79b9);
    for n in 0..STEPS {
        // Something to read and something to send, and a death in the middle of each.
        let step = match n {
            0 | 2 => Step::No,
            1 | 4 => Step::Kill,
            3 => Step::Approve(0),
            _ => step(&mut random),
        };
        println!("story {story}, step {n}: {step:?}");
        world.apply(step);
    }
    println!("story {story}: it settles");
    world.settle();
}

#[test]
fn the_invariants_hold_whatever_happens_in_whatever_order() {
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let did: Vec<world::Did> = thread::scope(|scope| {
        let stories = (0..STORIES).map(|story| {
            let servers = &servers;
            scope.spawn(move || {
                let mut world = World::new(servers, story % 2 == 0);
                play(&mut world, story);
                world.did
            })
        });
        let stories: Vec<_> = stories.collect();
        stories.into_iter().map(|story| story.join().unwrap()).collect()
    });
    let sum = |of: fn(&world::Did) -> usize| did.iter().map(of).sum::<usize>();
    let sums = [sum(|did| did.kills), sum(|did| did.approvals), sum(|did| did.placed), sum(|did| did.accepted)];
    println!("kills, approvals, placed, accepted: {sums:?}");
    assert!(sums.iter().all(|sum| *sum > 1), "the stories tell of everything: {sums:?}");
}

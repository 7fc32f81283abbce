//! Whether replies are still wanted: who never uses a draft is not offered another one. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::draft::DraftState;

/// How many drafts in a row have to go unused before none is offered by itself (`experience.md` §2).
pub const UNUSED_MAX: u32 = 10;
/// When a draft that waits counts as unused: longer than people leave an answer they mean to send.
const WAITS_IN_VAIN: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Whether drafting rests: the last ten drafts, the newest first with when they were offered, all went unused. One that
/// is still fresh counts as neither, so drafting does not rest while the person may yet use it.
pub fn drafting_rests(offered: &[(DraftState, Timestamp)], now: Timestamp) -> bool {
    let unused = |(state, at): &(DraftState, Timestamp)| match state {
        DraftState::Discarded => true,
        DraftState::Pending => now.duration_since(*at) > WAITS_IN_VAIN,
        _ => false,
    };
    offered.len() >= UNUSED_MAX as usize && offered.iter().take(UNUSED_MAX as usize).all(unused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_unused_in_a_row_and_no_fewer() {
        use DraftState::{Discarded, Pending, Placed, Sent};
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
        let ten = |state, days| vec![(state, ago(days)); 10];
        assert!(drafting_rests(&ten(Discarded, 1), now));
        assert!(drafting_rests(&ten(Pending, 15), now));
        assert!(!drafting_rests(&ten(Pending, 13), now));
        assert!(!drafting_rests(&ten(Discarded, 1)[..9], now));
        for used in [Placed, Sent] {
            for place in 0..10 {
                let mut offered = ten(Discarded, 20);
                offered[place].0 = used;
                assert!(!drafting_rests(&offered, now), "{place}");
            }
            let mut older = ten(Discarded, 20);
            older.push((used, ago(30)));
            assert!(drafting_rests(&older, now), "what was used before the ten does not count");
        }
    }
}

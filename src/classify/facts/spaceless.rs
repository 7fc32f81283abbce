//! Names in Japanese, Chinese and Korean mail: nothing written with a capital says where they begin, and no space where
//! they end. What tells them is their legal form, and the words around them.

use super::{NameWords, words::SpacelessWords};
use crate::rules::phrase::is_spaceless;

/// Most characters of a person's name in Chinese characters, and most syllables of a Korean one.
const PERSON_CHARS_MAX: usize = 5;
const PERSON_SYLLABLES_MAX: usize = 3;
/// Most characters of a surname, in any of the three scripts.
const SURNAME_CHARS_MAX: usize = 3;
/// Longest line that is nothing but an employer and a role, in characters.
const PAIR_CHARS_MAX: usize = 40;
/// Fewest bytes of a name before its form: two characters.
const NAME_BYTES_MIN: usize = 6;

/// The employer inside a captured piece of text or a line; `None` where it names none.
pub(super) fn employer<'t>(words: &NameWords, text: &'t str) -> Option<&'t str> {
    let words = &words.spaceless;
    let text = without_remark(words, behind_last(trimmed(unsigned(words, text)), &words.before));
    let text = without_signer(words, without_team(words, with_form(words, text).unwrap_or(text)));
    // A form alone tells the kind of a place, not its name.
    let generic = words.no_employer.has(text)
        || words.forms.has(text)
        || words.trades.has(text)
        || words.no_name.stand_in(text)
        || text.split_whitespace().any(|word| is_called(words, word));
    (!text.is_empty() && !generic).then_some(text)
}

/// Whether a word is what a person is called by at work, alone or with the name before it.
fn is_called(words: &SpacelessWords, word: &str) -> bool {
    words.called.exact_heads(word).any(|name| name.is_empty() || is_person_by(words, name))
}

/// The text without brackets behind it: the role, the place (`青葉電設(施工管理)`). A legal form in brackets stays.
fn without_remark<'t>(words: &SpacelessWords, text: &'t str) -> &'t str {
    let Some(head) = text.strip_suffix([')', '）']) else { return text };
    let form = |at: usize| text.get(at..).is_some_and(|bracket| words.forms.has(bracket));
    let cut = head.rfind(['(', '（']).filter(|at| *at > 0 && !form(*at));
    cut.and_then(|at| text.get(..at)).map_or(text, trimmed)
}

/// The text without the surname of who signs behind the employer (`花町印刷 田村`): before it stands more than a
/// surname can be.
fn without_signer<'t>(words: &SpacelessWords, text: &'t str) -> &'t str {
    let Some((name, signer)) = text.rsplit_once(char::is_whitespace) else { return text };
    let long = name.chars().count() > SURNAME_CHARS_MAX && !name.contains(char::is_whitespace);
    let short = signer.chars().count() <= PERSON_SYLLABLES_MAX + 1 && is_person_by(words, signer);
    if long && short && !bears_form(words, signer) && !words.forms.has(name) { trimmed(name) } else { text }
}

/// Whether the text may be a person's name: a few Chinese characters or Korean syllables and nothing else.
pub(super) fn may_be_person(words: &NameWords, text: &str) -> bool {
    is_person_by(&words.spaceless, text)
}

fn is_person_by(words: &SpacelessWords, text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let hangul = letters.iter().filter(|c| matches!(c, '\u{ac00}'..='\u{d7a3}')).count();
    let han = letters.iter().filter(|c| matches!(c, '\u{4e00}'..='\u{9fff}' | '々')).count();
    let long = usize::from(words.surnames.begin(text));
    hangul + han == letters.len() && hangul <= PERSON_SYLLABLES_MAX + long && han <= PERSON_CHARS_MAX
}

/// The text without what stands behind a signature.
fn unsigned<'t>(words: &SpacelessWords, text: &'t str) -> &'t str {
    let text = trimmed(text);
    words.signed.head(text).map_or(text, trimmed)
}

/// The name without the legal form before or behind it, as names are compared; the name itself where nothing is left.
pub(super) fn without_legal_form<'n>(words: &NameWords, name: &'n str) -> &'n str {
    if name.is_ascii() {
        return name.trim();
    }
    let bare = words.spaceless.legal_forms.iter().fold(name, |name, form| {
        let rest = name.strip_prefix(form.as_str()).unwrap_or(name);
        rest.strip_suffix(form.as_str()).unwrap_or(rest)
    });
    if bare.trim().is_empty() { name } else { bare.trim() }
}

/// Whether the text shows by its form that it names an employer.
pub(super) fn names_employer(words: &NameWords, text: &str) -> bool {
    let words = &words.spaceless;
    let bare = unsigned(words, text);
    let signed = bare.len() < trimmed(text).len() && !is_person_by(words, bare);
    signed || with_form(words, text).is_some() || without_team(words, text).len() < trimmed(text).len()
}

/// Whether a word shows that it names an employer.
fn bears_form(words: &SpacelessWords, word: &str) -> bool {
    words.form_parts.stand_in(word) || words.trade_ends.end(word)
}

/// The name up to the word that shows its form, with what belongs to it.
fn with_form<'t>(words: &SpacelessWords, text: &'t str) -> Option<&'t str> {
    let mut end = 0;
    let mut begin = None;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = end;
        end += word.len();
        let bare = without_team(words, word.trim());
        if bare.is_empty() {
            continue;
        }
        let first = *begin.get_or_insert(start);
        if bears_form(words, bare) {
            // `株式会社 青葉`, `카페 봄날`: the name stands behind its form.
            let alone = words.forms.has(bare) && start == first;
            let bare = name_end(words, bare).and_then(|end| bare.get(..end)).unwrap_or(bare);
            let rest = text.get(end..).unwrap_or_default();
            let next = rest.split(char::is_whitespace).next().unwrap_or_default();
            let end = if alone { end + next.len() } else { start + bare.len() };
            return text.get(first..end).map(str::trim);
        }
    }
    None
}

/// Where a name ends that more is written behind.
pub(super) fn name_end(words: &SpacelessWords, text: &str) -> Option<usize> {
    if words.ranks.begin(text) {
        return None;
    }
    let ends = words.ends.iter().filter_map(|form| Some((text.rfind(form.as_str())?, form.len())));
    let ends = ends.filter(|(at, _)| *at >= NAME_BYTES_MIN).map(|(at, length)| at + length);
    ends.max().filter(|end| *end < text.len())
}

/// The text without the words of a hiring team behind it, the longest first.
fn without_team<'t>(words: &SpacelessWords, text: &'t str) -> &'t str {
    let mut text = trimmed(text);
    loop {
        match words.teams.head(text).into_iter().chain(without_unit(words, text)).min_by_key(|head| head.len()) {
            Some(head) => text = trimmed(head),
            None => return text,
        }
    }
}

/// The text before a part of the employer that is called by its work: `青葉` of `青葉人材開発部`.
fn without_unit<'t>(words: &SpacelessWords, text: &'t str) -> Option<&'t str> {
    let whole = words.units.head(text)?;
    let mut rest = whole;
    while let Some(head) = words.work.head(rest) {
        rest = head;
    }
    (rest.len() < whole.len()).then_some(rest)
}

/// Employer and role, in either order, as a board of vacancies writes them: `[X - Y]`, `X - Y` alone in its line, or
/// `【X】` before a sentence that names `「Y」`.
pub(super) fn bracketed<'t>(words: &NameWords, text: &'t str) -> Option<(&'t str, &'t str)> {
    if !is_spaceless(text) {
        return None;
    }
    let filled = |(a, b)| Some((trimmed(a), trimmed(b))).filter(|(a, b)| !a.is_empty() && !b.is_empty());
    let Some((before, behind)) = text.split_once(['【', '[', '［']) else {
        let alone = text.chars().count() <= PAIR_CHARS_MAX && !text.ends_with(['.', '。', '!', '?', '다', '요']);
        return [" - ", " – ", " | "].iter().filter(|_| alone).find_map(|mark| text.split_once(mark)).and_then(filled);
    };
    let (inside, rest) = behind.split_once(['】', ']', '］'])?;
    if let Some(pair) = inside.split_once(['-', '–', '|', '｜', '/']) {
        return filled(pair).filter(|_| is_spaceless(inside));
    }
    let (said, quoted) = rest.split_once(['「', '『', '“'])?;
    let (quoted, _) = quoted.split_once(['」', '』', '”'])?;
    let applied = words.spaceless.applied.stand_in(said);
    if before.trim().is_empty() && applied { filled((inside, quoted)) } else { None }
}

/// What stands behind the last of the words, where anything does.
pub(super) fn behind_last<'t>(text: &'t str, words: &[String]) -> &'t str {
    let behind = words.iter().filter_map(|word| text.rfind(word.as_str()).map(|at| at + word.len())).max();
    let tail = behind.and_then(|at| text.get(at..)).map(trimmed);
    tail.filter(|tail| !tail.is_empty()).unwrap_or(text)
}

pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || "、，,。.：:「」『』【】[]\"“”|/／-–—・~～<>＜＞".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::facts::words::shipped;

    #[test]
    fn employers_end_where_their_form_or_team_begins() {
        for (text, expected) in [
            ("青葉商事株式会社 人事部 佐藤", Some("青葉商事株式会社")),
            ("株式会社 青葉 採用担当", Some("株式会社 青葉")),
            ("この度は株式会社青葉", Some("株式会社青葉")),
            ("青葉ワークス採用担当", Some("青葉ワークス")),
            ("弊社", None),
            ("東都大学人事課", Some("東都大学")),
            ("感谢您应聘云帆科技有限公司", Some("云帆科技有限公司")),
            ("云帆科技招聘团队", Some("云帆科技")),
            ("本公司", None),
            ("주식회사 한빛 인사팀", Some("주식회사 한빛")),
            ("한빛물류 채용담당자", Some("한빛물류")),
            ("저희 회사", None),
            ("카페 봄날", Some("카페 봄날")),
            ("松柏食品会计主管", Some("松柏食品")),
            ("카페 달빛", Some("카페 달빛")),
            ("헤드헌터 김하늘", None),
            ("青葉電設(施工管理)", Some("青葉電設")),
            ("青葉(株)", Some("青葉(株)")),
            ("青葉印刷所 田村", Some("青葉印刷所")),
            ("人力資源處", None),
            ("人材採用チーム", None),
            ("Tech採用チーム", None),
            ("青葉人材開発部", Some("青葉")),
            ("인재채용팀", None),
            ("해외사업팀", None),
            ("한빛물류 경영지원팀", Some("한빛물류")),
            ("학원 원장", None),
            ("HR 매니저", None),
            ("診所 陳醫師", None),
            ("オーナー 原", None),
            ("대학교", None),
            ("公司招募信箱", None),
        ] {
            assert_eq!(employer(shipped(), text), expected, "{text}");
        }
        assert_eq!(without_legal_form(shipped(), "株式会社 青葉"), "青葉");
        assert_eq!(without_legal_form(shipped(), "青葉有限公司"), "青葉");
        assert_eq!(without_legal_form(shipped(), "株式会社"), "株式会社");
        assert!(names_employer(shipped(), "青葉商事株式会社") && !names_employer(shipped(), "佐藤 花子"));
        assert!(
            !may_be_person(shipped(), "대성물류")
                && may_be_person(shipped(), "김하늘")
                && may_be_person(shipped(), "佐藤 花子")
        );
        assert!(names_employer(shipped(), "한결솔루션즈 드림") && !names_employer(shipped(), "김하늘 드림"));
    }

    #[test]
    fn boards_name_both_between_brackets() {
        for (text, expected) in [
            ("您投递的【仓库主管-云帆物流】有新进展", Some(("仓库主管", "云帆物流"))),
            ("[한빛물류 - 지게차 기사] 심사 결과", Some(("한빛물류", "지게차 기사"))),
            ("[공지] 안내", None),
            ("[Acme - Clerk] result", None),
            ("한빛테크 - 품질관리", Some(("한빛테크", "품질관리"))),
            ("한빛테크 - 품질관리에 지원해 주셔서 감사합니다", None),
            ("【青葉書店】婉拒了您應徵的「收銀人員」。", Some(("青葉書店", "收銀人員"))),
            ("【公告】請看「辦法」", None),
        ] {
            assert_eq!(bracketed(shipped(), text), expected, "{text}");
        }
    }
}

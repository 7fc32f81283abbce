//! The names of roles in Japanese, Chinese and Korean mail: what the sentence glues to a name is taken off it.

use super::{
    NameWords,
    spaceless::{behind_last, name_end, trimmed},
};

/// What may stand between the employer or the sentence and the role.
const BEFORE_NAME: [&str; 5] = ["の", "的", "「", "『", "・"];

/// The role inside a captured piece of text, without the employer before it; empty where it names none.
pub(super) fn role<'t>(words: &NameWords, text: &'t str, employer: Option<&str>) -> &'t str {
    let words = &words.spaceless;
    let mut text = behind_last(trimmed(text), &words.before);
    if let Some(tail) = employer.and_then(|name| text.strip_prefix(name)) {
        text = trimmed(tail);
    } else if let Some(tail) = name_end(words, text).and_then(|end| text.get(end..)) {
        text = trimmed(tail);
    }
    while let Some(head) = words.around_role.head(text) {
        text = trimmed(head);
    }
    while let Some(tail) = BEFORE_NAME.iter().find_map(|word| text.strip_prefix(word)) {
        text = trimmed(tail);
    }
    // `ドライバー職`: behind a foreign word the sign for work adds nothing.
    let text = text.strip_suffix("職").filter(|head| head.ends_with(is_katakana)).unwrap_or(text);
    if words.no_role_alone.has(text) || words.no_role.stand_in(text) { "" } else { text }
}

fn is_katakana(letter: char) -> bool {
    matches!(letter, '\u{30a1}'..='\u{30fc}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::facts::words::shipped;

    #[test]
    fn roles_lose_what_the_sentence_adds() {
        for (text, expected) in [
            ("営業職のポジション", "営業職"),
            ("弊社の店舗スタッフ", "店舗スタッフ"),
            ("選考結果", ""),
            ("软件工程师岗位", "软件工程师"),
            ("松柏食品会计主管", "会计主管"),
            ("백엔드 개발자 포지션", "백엔드 개발자"),
            ("한결물류 사무보조 직무", "사무보조"),
            ("다른", ""),
            ("アルバイト", ""),
            ("最終", ""),
            ("先般はドライバー職へのご応募", "ドライバー"),
            ("公开招聘护士岗位", "护士"),
            ("알바 문의", "알바"),
            ("전임교원 초빙 심사 결과", "전임교원"),
            ("厨师的事", "厨师"),
            ("急遽この", ""),
        ] {
            assert_eq!(role(shipped(), text, Some("한결물류")), expected, "{text}");
        }
    }
}

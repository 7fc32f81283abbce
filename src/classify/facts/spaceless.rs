//! Names in Japanese, Chinese and Korean mail: nothing written with a capital says where they begin, and no space where
//! they end. What tells them is their legal form, and the words around them.

use crate::rules::phrase::is_spaceless;

/// By these words a name shows that an employer bears it: legal forms and kinds of institutions.
#[rustfmt::skip] // A table of words.
const FORMS: [&str; 179] = [
    "株式会社", "有限会社", "合同会社", "合資会社", "(株)", "（株）", "㈱", "(有)", "（有）", "財団法人", "社団法人", "医療法人", "社会福祉法人",
    "学校法人", "独立行政法人", "国立大学法人", "病院", "大学", "銀行", "市役所", "研究所", "有限公司", "股份公司", "集团", "集團", "公司", "大學",
    "医院", "醫院", "银行", "研究院", "事务所", "事務所", "基金会", "基金會", "주식회사", "유한회사", "(주)", "（주）", "㈜", "재단", "대학교",
    "병원", "은행", "공사", "공단", "연구원", "연구소", "구청", "시청", "그룹", "카페", "식당", "학원", "약국", "호텔", "베이커리",
    "스튜디오", "물산", "상사", "의원", "クリニック", "ホテル", "カフェ", "ベーカリー", "食堂", "薬局", "工務店", "商店", "製作所", "工業",
    "商事", "運輸", "ホールディングス", "学園", "法律事務所", "出版社", "新聞社", "旅館", "建設", "酒店", "餐厅", "餐廳", "咖啡馆", "咖啡館",
    "律师事务所", "药房", "藥局", "诊所", "診所", "幼儿园", "学校", "學校", "书店", "書店", "工作室", "超市", "食品", "资本", "物流",
    "グループ", "信用金庫", "法人", "財団", "協会", "商工会", "幼稚園", "保育園", "高等学校", "歯科", "介護センター", "ソリューションズ", "システムズ",
    "물류", "전자", "건설", "화학", "제약", "식품", "산업", "테크", "소프트", "솔루션즈", "솔루션", "엔지니어링", "컴퍼니", "코리아", "랩스",
    "네트웍스", "시스템즈", "홀딩스", "에너지", "게임즈", "출판사", "미디어", "엔터테인먼트", "항공", "해운", "중공업", "증권", "저축은행", "백화점",
    "핀테크", "바이오", "모터스", "푸드", "유통", "치과", "한의원", "어학원", "복지관", "도서관", "정보기술", "科技", "教育", "传媒", "傳媒",
    "实业", "實業", "贸易", "貿易", "医疗", "醫療", "地产", "地產", "餐饮", "餐飲", "证券", "證券", "资讯", "資訊", "医药", "醫藥",
    "制造", "智能", "카드", "软件园", "纺织", "紡織",
];

/// Forms at the end of a name: what is written behind them without a space is another word.
#[rustfmt::skip] // A table of words.
const ENDS: [&str; 34] = [
    "株式会社", "有限公司", "公司", "集团", "集團", "大学", "大學", "대학교", "银行", "銀行", "病院", "医院", "醫院", "병원", "学校",
    "學校", "科技", "食品", "资本", "資本", "教育", "传媒", "傳媒", "实业", "實業", "餐饮", "餐飲", "证券", "證券", "物流", "医药", "醫藥",
    "資訊", "贸易",
];

/// Words of rank before a kind of work: no name begins so.
const RANKS: [&str; 9] = ["高级", "高級", "资深", "資深", "初级", "初級", "中级", "首席", "实习"];

/// Korean surnames of two syllables and Chinese ones of two characters.
const LONG_SURNAMES: [&str; 12] =
    ["남궁", "황보", "제갈", "선우", "독고", "사공", "欧阳", "歐陽", "司马", "司馬", "诸葛", "上官"];

/// What the people who hire add behind the employer's name.
#[rustfmt::skip] // A table of words.
const TEAMS: [&str; 76] = [
    "新卒採用担当", "中途採用担当", "キャリア採用担当", "採用担当者", "採用担当", "採用チーム", "採用事務局", "採用グループ", "採用係", "採用窓口", "採用センター",
    "採用課", "採用部", "新卒採用", "中途採用", "採用", "人事採用", "人事担当", "人事部", "人事課", "人事総務部", "人事グループ", "人事", "総務部",
    "総務課", "事務局", "担当", "人力资源部", "人力資源部", "人力资源中心", "人力资源", "人力資源", "人资部", "人資部", "人资", "人資", "招聘团队",
    "招聘组", "招聘中心", "招聘", "招募團隊", "招募团队", "招募", "校园招聘", "人才招聘", "校招", "채용담당자", "채용 담당자", "채용담당", "채용팀",
    "인사담당자", "인사 담당자", "인사팀", "인사부", "인재영입팀", "인재채용팀", "피플팀", "채용", "인재개발팀", "경영지원팀", "총무팀", "교무처", "人事室",
    "人事处", "人事處", "人事科", "人才招募", "招聘部", "行政部", "hr", "HR", "Recruit", "採用推進部", "新卒採用チーム", "採用広報", "編集部",
];

/// Words before a name that belong to the sentence.
#[rustfmt::skip] // A table of words.
const BEFORE: [&str; 34] = [
    "この度は", "このたびは", "今回は", "先日は", "過日は", "本日は", "中から", "中より", "弊社", "当社", "当院", "当法人", "本学", "いただいた",
    "頂いた", "いただきました", "頂きました", "您应聘", "您應徵", "您申请", "您申請", "您投递", "您投遞", "应聘", "應徵", "我司", "本公司", "我们",
    "我們", "加入", "당사", "저희", "이번", "금번",
];

/// What a person writes behind the own name, or a team behind its own.
#[rustfmt::skip] // A table of words.
const SIGNED: [&str; 9] = [
    "드림", "올림", "배상", "拝", "敬上", "谨启", "謹啟", "敬启", "敬啟",
];

/// Words of which no employer's name is made.
#[rustfmt::skip] // A table of words.
const NO_NAME: [&str; 40] = [
    "スカウト", "お知らせ", "알림", "猎头", "獵頭", "점장", "店長", "店长", "ご連絡", "です", "ます", "습니다", "여러분", "今後", "下記",
    "以下", "上記", "結果", "结果", "您", "本日", "저는", "선생", "面接", "面談", "選考", "応募", "書類", "面试", "面試", "简历", "应聘",
    "應徵", "면접", "전형", "지원", "系统通知", "系統通知",
    "헤드헌터", "ヘッドハンター",
];

/// Most characters of a person's name in Chinese characters, and most syllables of a Korean one.
const PERSON_CHARS_MAX: usize = 5;
const PERSON_SYLLABLES_MAX: usize = 3;
/// Fewest bytes of a name before its form: two characters.
const NAME_BYTES_MIN: usize = 6;

/// Words that stand for the employer without naming it.
#[rustfmt::skip] // A table of words.
const NO_EMPLOYER: [&str; 39] = [
    "弊社", "当社", "弊校", "当院", "当店", "本学", "御社", "貴社", "貴殿", "貴方", "求人", "本求人", "企業", "会社", "我司", "本公司",
    "贵公司", "貴公司", "贵司", "公司", "我们公司", "我們公司", "该公司", "敝公司", "職缺", "岗位", "당사", "저희", "저희 회사", "회사", "귀하",
    "기업", "본사", "우리",
    "グローバル", "キャリア", "카페", "호텔", "식당",
];

/// What stands around the name of a role and is no part of it.
#[rustfmt::skip] // A table of words.
const AROUND_ROLE: [&str; 57] = [
    "のポジション", "ポジション", "の求人", "求人", "の募集", "募集職種", "募集", "の選考", "選考", "へのご応募", "のご応募", "の職種", "の職",
    "的职位", "的職位", "的岗位", "的職缺", "这一", "這一", "一职", "一職", "职位", "職位", "岗位", "崗位", "职缺", "職缺", "포지션", "직무",
    "직군", "부문", "공개채용", "채용", "공고", "모집", "직책", "지원 결과", "지원 건", "지원건", "면접 결과", "채용 결과", "서류 결과",
    "서류전형 결과", "지원", "の件", "の選考結果", "選考結果", "の結果", "应聘结果", "面试结果", "应聘", "應徵結果", "面試結果", "應徵", "结果通知",
    "面试通知", "건",
];

/// Words of a sentence about an application: no role is called so.
#[rustfmt::skip] // A table of words.
const NO_ROLE: [&str; 44] = [
    "選考", "結果", "応募", "ご縁", "面接", "書類", "通知", "連絡", "ご案内", "弊社", "当社", "结果", "面试", "简历", "应聘", "您",
    "我们", "我們", "應徵", "面試", "결과", "지원", "면접", "전형", "안내", "귀하", "ため", "こと", "皆様", "お客様", "本人", "について",
    "いただ", "ござい", "ました", "관련", "감사", "으로", "입니다", "습니다", "的",
    "다른", "別の", "其他",
];

/// The employer inside a captured piece of text or a line; `None` where it names none.
pub(super) fn employer(text: &str) -> Option<&str> {
    let text = behind_last(trimmed(unsigned(text)), &BEFORE);
    let text = without_team(with_form(text).unwrap_or(text));
    let generic = NO_EMPLOYER.contains(&text) || NO_NAME.iter().any(|word| text.contains(word));
    (!text.is_empty() && !generic).then_some(text)
}

/// Whether the text may be a person's name: a few Chinese characters or Korean syllables and nothing else.
pub(super) fn may_be_person(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let hangul = letters.iter().filter(|c| matches!(c, '\u{ac00}'..='\u{d7a3}')).count();
    let han = letters.iter().filter(|c| matches!(c, '\u{4e00}'..='\u{9fff}' | '々')).count();
    let long = usize::from(LONG_SURNAMES.iter().any(|name| text.starts_with(name)));
    hangul + han == letters.len() && hangul <= PERSON_SYLLABLES_MAX + long && han <= PERSON_CHARS_MAX
}

/// The text without what stands behind a signature.
fn unsigned(text: &str) -> &str {
    let text = trimmed(text);
    SIGNED.iter().find_map(|word| text.strip_suffix(word)).map_or(text, trimmed)
}

/// Whether the text shows by its form that it names an employer.
pub(super) fn names_employer(text: &str) -> bool {
    let bare = unsigned(text);
    let signed = bare.len() < trimmed(text).len() && !may_be_person(bare);
    signed || with_form(text).is_some() || without_team(text).len() < trimmed(text).len()
}

/// The name up to the word that shows its form, with what belongs to it.
fn with_form(text: &str) -> Option<&str> {
    let mut end = 0;
    let mut begin = None;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = end;
        end += word.len();
        let bare = without_team(word.trim());
        if bare.is_empty() {
            continue;
        }
        let first = *begin.get_or_insert(start);
        if FORMS.iter().any(|form| bare.contains(form)) {
            // `株式会社 青葉`, `카페 봄날`: the name stands behind its form.
            let alone = FORMS.contains(&bare) && start == first;
            let bare = name_end(bare).and_then(|end| bare.get(..end)).unwrap_or(bare);
            let rest = text.get(end..).unwrap_or_default();
            let next = rest.split(char::is_whitespace).next().unwrap_or_default();
            let end = if alone { end + next.len() } else { start + bare.len() };
            return text.get(first..end).map(str::trim);
        }
    }
    None
}

/// Where a name ends that more is written behind.
fn name_end(text: &str) -> Option<usize> {
    if RANKS.iter().any(|rank| text.starts_with(rank)) {
        return None;
    }
    let ends =
        ENDS.iter().filter_map(|form| text.rfind(form).filter(|at| *at >= NAME_BYTES_MIN).map(|at| at + form.len()));
    ends.max().filter(|end| *end < text.len())
}

/// The text without the words of a hiring team behind it.
fn without_team(text: &str) -> &str {
    let mut text = trimmed(text);
    while let Some(head) = TEAMS.iter().find_map(|team| text.strip_suffix(team)) {
        text = trimmed(head);
    }
    text
}

/// The role inside a captured piece of text, without the employer before it; empty where it names none.
pub(super) fn role<'t>(text: &'t str, employer: Option<&str>) -> &'t str {
    let mut text = behind_last(trimmed(text), &BEFORE);
    if let Some(tail) = employer.and_then(|name| text.strip_prefix(name)) {
        text = trimmed(tail);
    } else if let Some(tail) = name_end(text).and_then(|end| text.get(end..)) {
        text = trimmed(tail);
    }
    while let Some(head) = AROUND_ROLE.iter().find_map(|word| text.strip_suffix(word)) {
        text = trimmed(head);
    }
    while let Some(tail) = ["の", "的", "「", "『", "・"].iter().find_map(|word| text.strip_prefix(word)) {
        text = trimmed(tail);
    }
    let sentence = NO_ROLE.iter().any(|word| text.contains(word));
    if sentence { "" } else { text }
}

/// The two parts of a text between brackets that a hyphen joins, where both are there.
pub(super) fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (_, behind) = text.split_once(['【', '[', '［'])?;
    let (inside, _) = behind.split_once(['】', ']', '］'])?;
    let (a, b) = inside.split_once(['-', '–', '|', '｜', '/'])?;
    let parts = (trimmed(a), trimmed(b));
    (is_spaceless(inside) && !parts.0.is_empty() && !parts.1.is_empty()).then_some(parts)
}

/// What stands behind the last of the words, where anything does.
fn behind_last<'t>(text: &'t str, words: &[&str]) -> &'t str {
    let behind = words.iter().filter_map(|word| text.rfind(word).map(|at| at + word.len())).max();
    let tail = behind.and_then(|at| text.get(at..)).map(trimmed);
    tail.filter(|tail| !tail.is_empty()).unwrap_or(text)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || "、，,。.：:「」『』【】[]\"“”|/／-–—・~～<>＜＞".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(employer(text), expected, "{text}");
        }
        assert!(names_employer("青葉商事株式会社") && !names_employer("佐藤 花子"));
        assert!(!may_be_person("대성물류") && may_be_person("김하늘") && may_be_person("佐藤 花子"));
        assert!(names_employer("한결솔루션즈 드림") && !names_employer("김하늘 드림"));
    }

    #[test]
    fn boards_name_both_between_brackets() {
        for (text, expected) in [
            ("您投递的【仓库主管-云帆物流】有新进展", Some(("仓库主管", "云帆物流"))),
            ("[한빛물류 - 지게차 기사] 심사 결과", Some(("한빛물류", "지게차 기사"))),
            ("[공지] 안내", None),
            ("[Acme - Clerk] result", None),
        ] {
            assert_eq!(bracketed(text), expected, "{text}");
        }
    }

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
        ] {
            assert_eq!(role(text, Some("한결물류")), expected, "{text}");
        }
    }
}

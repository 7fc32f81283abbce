//! Names in Japanese, Chinese and Korean mail: nothing written with a capital says where they begin, and no space where
//! they end. What tells them is their legal form, and the words around them.

use crate::rules::phrase::is_spaceless;

/// By these words a name shows that an employer bears it: legal forms and kinds of institutions.
#[rustfmt::skip] // A table of words.
const FORMS: [&str; 182] = [
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
    "制造", "智能", "카드", "软件园", "纺织", "紡織", "國小", "国小", "학교",
];

/// Legal forms, which say nothing of the name.
#[rustfmt::skip] // A table of words.
const LEGAL_FORMS: [&str; 20] = [
    "株式会社", "有限会社", "合同会社", "医療法人", "社会福祉法人", "学校法人", "一般社団法人", "一般財団法人", "(株)", "（株）", "㈱", "(有)", "주식회사",
    "유한회사", "(주)", "（주）", "㈜", "股份有限公司", "有限责任公司", "有限公司",
];

/// Trades: at the end of a word they tell an employer; before it they belong to a role (`机械工程师`).
#[rustfmt::skip] // A table of words.
const TRADES: [&str; 21] = [
    "印刷", "電設", "電機", "電子", "电子", "システム", "フーズ", "フード", "ラボ", "机械", "機械", "汽配", "汽车", "汽車", "娱乐", "娛樂",
    "奶茶店", "面馆", "麵館", "무역", "빵집",
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

/// Parts of an employer that are called by their work and a unit (`人力資源處`, `해외사업팀`), and neither names it.
#[rustfmt::skip] // A table of words.
const UNITS: [&str; 19] = [
    "チーム", "部門", "本部", "部", "課", "课", "處", "处", "科", "室", "組", "组", "係", "파트", "팀", "과", "부", "처", "실",
];
#[rustfmt::skip] // A table of words.
const WORK: [&str; 55] = [
    "人事", "人力資源", "人力资源", "人力", "人資", "人资", "人材", "人才", "採用", "招聘", "招募", "総務", "总务", "總務", "行政", "組織", "组织",
    "管理", "営業", "企画", "開発", "开发", "技術", "技术", "編集", "教務", "教务", "推進", "経営", "業務", "事業",
    "인사", "인재", "인력", "채용", "총무", "경영", "지원", "사업", "해외", "국내", "디자인", "개발", "마케팅", "영업", "기획", "운영", "교무",
    "행정", "재무", "전략", "서비스", "콘텐츠", "피플", "관리",
];

/// Words before a name that belong to the sentence.
#[rustfmt::skip] // A table of words.
const BEFORE: [&str; 40] = [
    "この度は", "このたびは", "今回は", "先日は", "過日は", "本日は", "中から", "中より", "弊社", "当社", "当院", "当法人", "本学", "いただいた",
    "頂いた", "いただきました", "頂きました", "您应聘", "您應徵", "您申请", "您申請", "您投递", "您投遞", "应聘", "應徵", "我司", "本公司", "我们",
    "我們", "加入", "당사", "저희", "이번", "금번", "先般は", "急遽", "公开招聘", "公開招聘", "公开选聘", "公開徵選",
];

/// What a person writes behind the own name, or a team behind its own.
#[rustfmt::skip] // A table of words.
const SIGNED: [&str; 9] = [
    "드림", "올림", "배상", "拝", "敬上", "谨启", "謹啟", "敬启", "敬啟",
];

/// Words of which no employer's name is made.
#[rustfmt::skip] // A table of words.
const NO_NAME: [&str; 52] = [
    "スカウト", "お知らせ", "알림", "猎头", "獵頭", "점장", "店長", "店长", "ご連絡", "です", "ます", "습니다", "여러분", "今後", "下記",
    "以下", "上記", "結果", "结果", "您", "本日", "저는", "선생", "面接", "面談", "選考", "応募", "書類", "面试", "面試", "简历", "应聘",
    "應徵", "면접", "전형", "지원", "系统通知", "系統通知",
    "헤드헌터", "ヘッドハンター", "通知", "信箱", "メール", "自動返信", "自動配信", "小助手", "알리미", "자동응답", "求職", "求职", "バイト",
    "알바",
];

/// What a person is called by at work, at the end of a word: who is called so is not the employer, only their place
/// may stand before it (`학원 원장`).
#[rustfmt::skip] // A table of words.
const CALLED: [&str; 44] = [
    "オーナー", "キャリアアドバイザー", "転職エージェント", "マネージャー", "リーダー", "ディレクター", "社長", "部長", "課長", "係長", "主任", "院長", "園長", "校長", "医師", "醫師", "医生", "醫生",
    "先生", "女士", "小姐", "老师", "老師", "老板", "老闆", "经理", "經理", "总监", "總監", "매니저", "사장", "원장", "실장", "팀장", "부장", "과장",
    "차장", "대표", "리드", "팀리드", "선생님", "사장님", "원장님", "실장님",
];

/// Most characters of a person's name in Chinese characters, and most syllables of a Korean one.
const PERSON_CHARS_MAX: usize = 5;
const PERSON_SYLLABLES_MAX: usize = 3;
/// Most characters of a surname, in any of the three scripts.
const SURNAME_CHARS_MAX: usize = 3;
/// Longest line that is nothing but an employer and a role, in characters.
const PAIR_CHARS_MAX: usize = 40;
/// Words of having applied.
const APPLIED: [&str; 10] = ["應徵", "应聘", "应征", "申请", "申請", "投递", "投遞", "応募", "エントリー", "지원"];
/// Fewest bytes of a name before its form: two characters.
const NAME_BYTES_MIN: usize = 6;

/// Words that stand for the employer without naming it.
#[rustfmt::skip] // A table of words.
const NO_EMPLOYER: [&str; 50] = [
    "弊社", "当社", "弊校", "当院", "当店", "本学", "御社", "貴社", "貴殿", "貴方", "求人", "本求人", "企業", "会社", "我司", "本公司",
    "贵公司", "貴公司", "贵司", "公司", "我们公司", "我們公司", "该公司", "敝公司", "職缺", "岗位", "당사", "저희", "저희 회사", "회사", "귀하",
    "기업", "본사", "우리",
    "グローバル", "キャリア", "Tech", "IT", "HR", "hr", "最終", "최종", "서류", "1차", "2차", "인재", "꽃집", "편의점", "組織", "组织",
];

/// What stands around the name of a role and is no part of it.
#[rustfmt::skip] // A table of words.
const AROUND_ROLE: [&str; 76] = [
    "のポジション", "ポジション", "の求人", "求人", "の募集", "募集職種", "募集", "の選考", "選考", "へのご応募", "のご応募", "の職種", "の職",
    "的职位", "的職位", "的岗位", "的職缺", "这一", "這一", "一职", "一職", "职位", "職位", "岗位", "崗位", "职缺", "職缺", "포지션", "직무",
    "직군", "부문", "공개채용", "채용", "공고", "모집", "직책", "지원 결과", "지원 건", "지원건", "면접 결과", "채용 결과", "서류 결과",
    "서류전형 결과", "지원", "の件", "の選考結果", "選考結果", "の結果", "应聘结果", "面试结果", "应聘", "應徵結果", "面試結果", "應徵", "结果通知",
    "面试通知", "건", "관련", "문의", "초빙", "심사", "심사 결과", "검토", "의 건", "구인", "的事", "面试", "面試", "复试", "應聘", "甄選結果",
    "甄選", "招考", "の面接", "の応募", "反馈",
];

/// What tells how or when somebody works, or a round: alone it is no role.
#[rustfmt::skip] // A table of words.
const NO_ROLE_ALONE: [&str; 33] = [
    "アルバイト", "パート", "業務委託", "職員", "正社員", "契約社員", "派遣", "新卒", "中途", "一次", "二次", "最終", "案件", "公开", "公開", "校园",
    "校園", "社会", "职员", "전일제", "서류", "최종", "1차", "2차", "신입", "경력", "공채", "수시", "상반기", "하반기", "この", "その", "本",
];

/// Words of a sentence about an application: no role is called so.
#[rustfmt::skip] // A table of words.
const NO_ROLE: [&str; 49] = [
    "選考", "結果", "応募", "ご縁", "面接", "書類", "通知", "連絡", "ご案内", "弊社", "当社", "结果", "面试", "简历", "应聘", "您",
    "我们", "我們", "應徵", "面試", "결과", "지원", "면접", "전형", "안내", "귀하", "ため", "こと", "皆様", "お客様", "本人", "について",
    "いただ", "ござい", "ました", "관련", "감사", "으로", "입니다", "습니다", "的",
    "다른", "別の", "其他", "新回", "职缺", "職缺", "불합격", "不採用",
];

/// The employer inside a captured piece of text or a line; `None` where it names none.
pub(super) fn employer(text: &str) -> Option<&str> {
    let text = without_remark(behind_last(trimmed(unsigned(text)), &BEFORE));
    let text = without_signer(without_team(with_form(text).unwrap_or(text)));
    // A form alone tells the kind of a place, not its name.
    let generic = NO_EMPLOYER.contains(&text)
        || FORMS.contains(&text)
        || TRADES.contains(&text)
        || NO_NAME.iter().any(|word| text.contains(word))
        || text.split_whitespace().any(is_called);
    (!text.is_empty() && !generic).then_some(text)
}

/// Whether a word is what a person is called by at work, alone or with the name before it.
fn is_called(word: &str) -> bool {
    CALLED.iter().any(|title| word.strip_suffix(title).is_some_and(|name| name.is_empty() || may_be_person(name)))
}

/// The text without brackets behind it: the role, the place (`青葉電設(施工管理)`). A legal form in brackets stays.
fn without_remark(text: &str) -> &str {
    let Some(head) = text.strip_suffix([')', '）']) else { return text };
    let cut = head.rfind(['(', '（']).filter(|at| *at > 0 && !FORMS.iter().any(|form| text.get(*at..) == Some(form)));
    cut.and_then(|at| text.get(..at)).map_or(text, trimmed)
}

/// The text without the surname of who signs behind the employer (`花町印刷 田村`): before it stands more than a
/// surname can be.
fn without_signer(text: &str) -> &str {
    let Some((name, signer)) = text.rsplit_once(char::is_whitespace) else { return text };
    let long = name.chars().count() > SURNAME_CHARS_MAX && !name.contains(char::is_whitespace);
    let short = signer.chars().count() <= PERSON_SYLLABLES_MAX + 1 && may_be_person(signer);
    if long && short && !bears_form(signer) && !FORMS.contains(&name) { trimmed(name) } else { text }
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

/// The name without the legal form before or behind it, as names are compared; the name itself where nothing is left.
pub(super) fn without_legal_form(name: &str) -> &str {
    let bare = LEGAL_FORMS.iter().fold(name, |name, form| {
        let rest = name.strip_prefix(form).unwrap_or(name);
        rest.strip_suffix(form).unwrap_or(rest)
    });
    if bare.trim().is_empty() { name } else { bare.trim() }
}

/// Whether the text shows by its form that it names an employer.
pub(super) fn names_employer(text: &str) -> bool {
    let bare = unsigned(text);
    let signed = bare.len() < trimmed(text).len() && !may_be_person(bare);
    signed || with_form(text).is_some() || without_team(text).len() < trimmed(text).len()
}

/// Whether a word shows that it names an employer.
fn bears_form(word: &str) -> bool {
    // Lines of other scripts are asked as well.
    !word.is_ascii()
        && (FORMS.iter().any(|form| word.contains(form)) || TRADES.iter().any(|trade| word.ends_with(trade)))
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
        if bears_form(bare) {
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

/// The text without the words of a hiring team behind it, the longest first.
fn without_team(text: &str) -> &str {
    let mut text = trimmed(text);
    loop {
        let team = TEAMS.iter().filter_map(|team| text.strip_suffix(team)).chain(without_unit(text));
        match team.min_by_key(|head| head.len()) {
            Some(head) => text = trimmed(head),
            None => return text,
        }
    }
}

/// The text before a part of the employer that is called by its work: `青葉` of `青葉人材開発部`.
fn without_unit(text: &str) -> Option<&str> {
    let whole = UNITS.iter().find_map(|unit| text.strip_suffix(unit))?;
    let mut rest = whole;
    while let Some(head) = WORK.iter().find_map(|work| rest.strip_suffix(work)) {
        rest = head;
    }
    (rest.len() < whole.len()).then_some(rest)
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
    // `ドライバー職`: behind a foreign word the sign for work adds nothing.
    let text = text.strip_suffix("職").filter(|head| head.ends_with(is_katakana)).unwrap_or(text);
    let sentence = NO_ROLE_ALONE.contains(&text) || NO_ROLE.iter().any(|word| text.contains(word));
    if sentence { "" } else { text }
}

fn is_katakana(letter: char) -> bool {
    matches!(letter, '\u{30a1}'..='\u{30fc}')
}

/// Employer and role, in either order, as a board of vacancies writes them: `[X - Y]`, `X - Y` alone in its line, or
/// `【X】` before a sentence that names `「Y」`.
pub(super) fn bracketed(text: &str) -> Option<(&str, &str)> {
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
    let applied = APPLIED.iter().any(|word| said.contains(word));
    if before.trim().is_empty() && applied { filled((inside, quoted)) } else { None }
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
            assert_eq!(employer(text), expected, "{text}");
        }
        assert_eq!(without_legal_form("株式会社 青葉"), "青葉");
        assert_eq!(without_legal_form("青葉有限公司"), "青葉");
        assert_eq!(without_legal_form("株式会社"), "株式会社");
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
            ("한빛테크 - 품질관리", Some(("한빛테크", "품질관리"))),
            ("한빛테크 - 품질관리에 지원해 주셔서 감사합니다", None),
            ("【青葉書店】婉拒了您應徵的「收銀人員」。", Some(("青葉書店", "收銀人員"))),
            ("【公告】請看「辦法」", None),
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
            ("アルバイト", ""),
            ("最終", ""),
            ("先般はドライバー職へのご応募", "ドライバー"),
            ("公开招聘护士岗位", "护士"),
            ("알바 문의", "알바"),
            ("전임교원 초빙 심사 결과", "전임교원"),
            ("厨师的事", "厨师"),
            ("急遽この", ""),
        ] {
            assert_eq!(role(text, Some("한결물류")), expected, "{text}");
        }
    }
}

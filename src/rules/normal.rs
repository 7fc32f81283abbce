//! One normal form for mail text and for phrases, with the way back to the original bytes.
//!
//! In the normal form text is lower case and composed, quotes are straight, dashes are ` - `, white space is one
//! space, English contractions are written out, and **every byte from 0x80 on belongs to a letter**: other characters
//! outside ASCII become ASCII punctuation or a space. So a word boundary is a question about single bytes, in any
//! script. Full-width letters and digits are those of ASCII, half-width katakana is written full, and traditional
//! Chinese characters that hiring mail uses are their simplified forms, so that one phrase serves both. Not done:
//! stemming, accent folding, spelling correction (`rules.md` §3.2).

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use unicode_normalization::char::{compose, is_combining_mark};

/// Normalised text and where each of its bytes came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normal {
    /// The normalised text.
    pub text: String,
    /// For each byte of `text` the byte offset in the original of the character it came from, and at the end the
    /// length of the original.
    map: Vec<u32>,
}

/// Normalises `text`.
pub fn normalise(text: &str) -> Normal {
    let out = Normal { text: String::with_capacity(text.len()), map: Vec::with_capacity(text.len() + 1) };
    let mut b = Builder { out, gap: None };
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = plain(rest);
        at += if plain.is_empty() { b.next(rest, at) } else { b.plain(plain, at) };
    }
    b.expand_contractions();
    b.out.map.push(text.len() as u32);
    b.out
}

/// The beginning of a text that is written as it stands, but for capitals: words of ASCII with one space between two.
fn plain(text: &str) -> &str {
    let written = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'(' | b'/' | b'`');
    let mut end = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            byte if written(&byte) => end = at + 1,
            b' ' if end == at && at > 0 => {}
            _ => break,
        }
    }
    let plain = text.get(..end).unwrap_or_default();
    match text.as_bytes().get(end) {
        // A combining mark may stand there, which makes the last letter another one.
        Some(byte) if !byte.is_ascii() => plain.get(..end.saturating_sub(1)).unwrap_or_default().trim_end(),
        _ => plain,
    }
}

/// Longest ending in brackets that is left out, in characters.
const ENDING_CHARS_MAX: usize = 3;
/// Endings behind a stroke that are left out.
const STROKE_ENDINGS: [&str; 6] = ["/a", "/o", "/as", "/os", "/in", "/e"];

/// The bytes of a second ending glued to a word, which says both genders or both numbers in one: `otro(a)`,
/// `candidato/a`, `zaproszony(a)`. 0 where there is none.
fn glued_ending(rest: &str) -> usize {
    let ends_word = |tail: &str| !tail.chars().next().is_some_and(char::is_alphanumeric);
    if let Some((inside, tail)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
        let letters =
            (1..=ENDING_CHARS_MAX).contains(&inside.chars().count()) && inside.chars().all(char::is_lowercase);
        return if letters && ends_word(tail) { inside.len() + 2 } else { 0 };
    }
    STROKE_ENDINGS.iter().find(|e| rest.strip_prefix(**e).is_some_and(ends_word)).map_or(0, |e| e.len())
}

/// Full-width ASCII made narrow; other characters as they are.
fn unwidened(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// Half-width katakana made full.
fn full_katakana(c: char) -> char {
    const FULL: &str = "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";
    FULL.chars().nth((u32::from(c) - u32::from('ｦ')) as usize).unwrap_or(c)
}

/// The simplified form of a traditional Chinese character. Only characters of hiring mail stand in the table, and only
/// where one form stands for the other alone; phrases in Japanese pass through the same table and still fit.
fn simplified(c: char) -> char {
    static TABLE: LazyLock<HashMap<char, char>> =
        LazyLock::new(|| TRADITIONAL.chars().zip(SIMPLIFIED.chars()).collect());
    if ('\u{4e00}'..='\u{9fff}').contains(&c) { TABLE.get(&c).copied().unwrap_or(c) } else { c }
}

const TRADITIONAL: &str = "\
    並佔來侶係倉個們側偵傑備傳債傷傾僅僱價儀億儉儘償優儲兌兒內兩冊凍別則剛創劃劇劉劑動務勝勞勢勵勸匯區協\
    卻厭參吳員問啓啟喚喪單嘆嘗嚴國圍園圖團執報場塊壓夠夢奪奮婦媽孫學寢實寧審寫寬寶將專尋對導屆層屬島巖師\
    帳帶幣幫幹幾庫廠廢廣廳張強彈彌彙後徑從復徬徵徹恆悅惡愛態慣慮慶憑憶懃懇應懷懸戰戲戶拋捨掃掙掛採換揮損\
    摯撥擁擇擔據擠擬擴擾攜攝攬敗數斷於時晝暢暫曆書會東條棄棟楊業極榮構槍樂樓標樞樣樹橋機橫檔檢櫃權歡歲歷\
    歸殘毀毆氣氫決沒況洩淚淨測準溝滯滿漢漲漸潔潛潤澤濕濟濾灣為烏無煩熱燈燒營爭爲爾牆牽狀狹猶獎獨獲獻現瑩\
    瑪環產畢畫異當疊痠瘋療癥發皺盜盡監盤盧眾睜瞭砲確碼磚礎禍禦禪禮稅種稱積穩穫窩窮競筆筍節範築篩簡簽籃籌\
    糧紀約紅納純紙級紮細紹終組結絕絡給絨統絲綁經綜綠綫維綱網綿緊線緣編緩練縣縫縮縱總績織繞繩繪繫繳繼續罷\
    羅羣羨義習聞聯聰聲職聽肅脫腦腳膚膠臉臨臺與舉舊艙艦莊華萬葉蓋薦薩藉藍藝藥蘇蘭處虛號蝕蟲衆衊術衛衝裏補\
    裝裡製複覆見規視親覺覽觀觸訂計訊討訓託記訝訪設許訴診詐評詞詢試詩話該詳誇誌認語誠誤說誰課誼調談請諒論\
    諮諸諾謀謂謙講謝謹證識譜譯議護譽讀變讓豐負財貢貧貨販責貴買貸費貼貿賀資賓賜賞賠賢賣賦質賬賴購贊贏趕趙\
    趨跡踐踴躍車軌軍軟較載輔輕輛輝輩輪輯輸輿轉辦辭農迴這連週進遊運過達違遞遠適遲遷選遺遼還邊邏郵鄉鄭醫醬\
    釋釐針鈕鈴銀銘銳銷鋪鋼錄錢錦錫錯鍵鍾鎖鎮鏈鐘鐵鑑長門閃閉開閒間閣閱闆闊關闡陣陰陳陸隊階際隨險隱隻雖雙\
    雜雞離難雲電霧靈靜韓響頁頂項順須頌預頓頗領頭頻顆題額顏願類顧顯風飄飛飯飲飾養餘館馬駐駕騎騰驅驗驚體髮\
    鬆魯鮮鯨鳥鹽麗麥麵麼黃點黨齊齡齣龍龐";
const SIMPLIFIED: &str = "\
    并占来侣系仓个们侧侦杰备传债伤倾仅雇价仪亿俭尽偿优储兑儿内两册冻别则刚创划剧刘剂动务胜劳势励劝汇区协\
    却厌参吴员问启启唤丧单叹尝严国围园图团执报场块压够梦夺奋妇妈孙学寝实宁审写宽宝将专寻对导届层属岛岩师\
    账带币帮干几库厂废广厅张强弹弥汇后径从复彷征彻恒悦恶爱态惯虑庆凭忆勤恳应怀悬战戏户抛舍扫挣挂采换挥损\
    挚拨拥择担据挤拟扩扰携摄揽败数断于时昼畅暂历书会东条弃栋杨业极荣构枪乐楼标枢样树桥机横档检柜权欢岁历\
    归残毁殴气氢决没况泄泪净测准沟滞满汉涨渐洁潜润泽湿济滤湾为乌无烦热灯烧营争为尔墙牵状狭犹奖独获献现莹\
    玛环产毕画异当叠酸疯疗症发皱盗尽监盘卢众睁了炮确码砖础祸御禅礼税种称积稳获窝穷竞笔笋节范筑筛简签篮筹\
    粮纪约红纳纯纸级扎细绍终组结绝络给绒统丝绑经综绿线维纲网绵紧线缘编缓练县缝缩纵总绩织绕绳绘系缴继续罢\
    罗群羡义习闻联聪声职听肃脱脑脚肤胶脸临台与举旧舱舰庄华万叶盖荐萨借蓝艺药苏兰处虚号蚀虫众蔑术卫冲里补\
    装里制复复见规视亲觉览观触订计讯讨训托记讶访设许诉诊诈评词询试诗话该详夸志认语诚误说谁课谊调谈请谅论\
    咨诸诺谋谓谦讲谢谨证识谱译议护誉读变让丰负财贡贫货贩责贵买贷费贴贸贺资宾赐赏赔贤卖赋质账赖购赞赢赶赵\
    趋迹践踊跃车轨军软较载辅轻辆辉辈轮辑输舆转办辞农回这连周进游运过达违递远适迟迁选遗辽还边逻邮乡郑医酱\
    释厘针钮铃银铭锐销铺钢录钱锦锡错键钟锁镇链钟铁鉴长门闪闭开闲间阁阅板阔关阐阵阴陈陆队阶际随险隐只虽双\
    杂鸡离难云电雾灵静韩响页顶项顺须颂预顿颇领头频颗题额颜愿类顾显风飘飞饭饮饰养余馆马驻驾骑腾驱验惊体发\
    松鲁鲜鲸鸟盐丽麦面么黄点党齐龄出龙庞";

struct Builder {
    out: Normal,
    /// Where white space began that has not been written yet.
    gap: Option<usize>,
}

impl Builder {
    /// Writes plain text; the number of its bytes.
    fn plain(&mut self, text: &str, at: usize) -> usize {
        self.close_gap();
        let start = self.out.text.len();
        self.out.text.push_str(text);
        self.out.text.get_mut(start..).into_iter().for_each(str::make_ascii_lowercase);
        self.out.map.extend(at as u32..(at + text.len()) as u32);
        text.len()
    }

    /// Writes the first character of a text and what belongs to it; the number of bytes they take.
    fn next(&mut self, text: &str, at: usize) -> usize {
        let mut chars = text.chars();
        let Some(mut c) = chars.next() else { return 0 };
        let mut taken = c.len_utf8();
        if matches!(c, '(' | '/') && self.in_word() {
            let ending = glued_ending(text);
            if ending > 0 {
                return ending;
            }
        }
        if let 'ｦ'..='ﾝ' = c {
            c = full_katakana(c);
        }
        while let Some(next) = chars.next()
            && !next.is_ascii()
            && (is_combining_mark(next) || matches!(next, 'ﾞ' | 'ﾟ'))
        {
            let mark = match next {
                'ﾞ' => '\u{3099}',
                'ﾟ' => '\u{309a}',
                other => other,
            };
            match compose(c, mark) {
                Some(composed) => c = composed,
                None if mark == '\u{307}' => {}
                None => break,
            }
            taken += next.len_utf8();
        }
        self.char(unwidened(c), at);
        taken
    }

    fn char(&mut self, c: char, at: usize) {
        match c {
            c if c.is_whitespace() => {
                self.gap.get_or_insert(at);
            }
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{2bc}' | '`' => {
                self.push("'", at);
            }
            '\u{201c}'..='\u{201f}'
            | '\u{2033}'
            | '\u{ab}'
            | '\u{bb}'
            | '\u{3008}'..='\u{300f}'
            | '\u{3010}'
            | '\u{3011}' => {
                self.push("\"", at);
            }
            '\u{2012}'..='\u{2015}' => {
                self.gap.get_or_insert(at);
                self.push("-", at);
                self.gap = Some(at);
            }
            '\u{2010}' | '\u{2011}' | '\u{2212}' => self.push("-", at),
            '\u{2026}' | '\u{3002}' | '\u{ff61}' | '\u{964}' => self.push(".", at),
            '\u{3001}' | '\u{ff64}' | '\u{60c}' => self.push(",", at),
            '\u{61f}' => self.push("?", at),
            '\u{61b}' => self.push(";", at),
            '\u{ff62}' | '\u{ff63}' => self.push("\"", at),
            '\u{3014}' | '\u{3016}' => self.push("(", at),
            '\u{3015}' | '\u{3017}' => self.push(")", at),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' => {}
            // Dotless i and final sigma: upper case does not tell them from their siblings.
            'ı' | 'İ' => self.push("i", at),
            'ς' => self.push("σ", at),
            c if c.is_ascii() => self.push(c.to_ascii_lowercase().encode_utf8(&mut [0; 4]), at),
            c if c.is_alphanumeric() || is_combining_mark(c) => {
                for lower in simplified(c).to_lowercase().filter(|l| *l != '\u{307}') {
                    self.push(lower.encode_utf8(&mut [0; 4]), at);
                }
            }
            _ => {
                self.gap.get_or_insert(at);
            }
        }
    }

    /// Whether the last thing written is a word of at least two letters that goes on here.
    fn in_word(&self) -> bool {
        let mut before = self.out.text.chars().rev();
        self.gap.is_none() && (0..2).all(|_| before.next().is_some_and(char::is_alphabetic))
    }

    /// Writes the white space before what comes next.
    fn close_gap(&mut self) {
        if let Some(gap) = self.gap.take()
            && !self.out.text.is_empty()
        {
            self.out.text.push(' ');
            self.out.map.push(gap as u32);
        }
    }

    fn push(&mut self, text: &str, at: usize) {
        self.close_gap();
        self.out.text.push_str(text);
        self.out.map.extend(std::iter::repeat_n(at as u32, text.len()));
    }

    /// Writes English contractions out. No other language puts these endings behind an apostrophe.
    fn expand_contractions(&mut self) {
        if !self.out.text.contains('\'') && !self.out.text.contains("cannot") {
            return;
        }
        let given = std::mem::take(&mut self.out);
        let (mut at, mut copied) = (0, 0);
        let mut before = None;
        while let Some(byte) = given.text.as_bytes().get(at).copied() {
            let rest = given.text.get(at..).filter(|_| may_contract(byte, before));
            let Some((taken, written)) = rest.map(|rest| contraction(rest, before)).filter(|(taken, _)| *taken > 0)
            else {
                before = Some(byte);
                at += 1;
                continue;
            };
            self.copy(&given, copied..at);
            let source = given.map.get(at).copied().unwrap_or(0);
            self.out.text.push_str(written);
            self.out.map.extend(std::iter::repeat_n(source, written.len()));
            before = written.bytes().last();
            at += taken;
            copied = at;
        }
        self.copy(&given, copied..at);
    }

    fn copy(&mut self, from: &Normal, range: Range<usize>) {
        self.out.text.push_str(from.text.get(range.clone()).unwrap_or_default());
        self.out.map.extend(from.map.get(range).unwrap_or_default());
    }
}

/// Whether a contraction may begin with the byte, behind the other.
fn may_contract(byte: u8, before: Option<u8>) -> bool {
    match before.is_some_and(is_letter) {
        true => matches!(byte, b'n' | b'\''),
        false => matches!(byte, b'c' | b'h' | b'i' | b'l' | b's' | b't' | b'w'),
    }
}

/// The contraction that `rest` starts with: how many bytes it takes and what stands for it.
fn contraction(rest: &str, before: Option<u8>) -> (usize, &'static str) {
    const WHOLE: [(&str, &str); 5] = [
        ("can't", "can not"),
        ("cannot", "can not"),
        ("won't", "will not"),
        ("shan't", "shall not"),
        ("let's", "let us"),
    ];
    // Behind other words `'s` is mostly the genitive.
    const IS: [&str; 9] = ["it", "that", "he", "she", "there", "here", "what", "who", "where"];
    const ENDINGS: [(&str, &str); 6] =
        [("n't", " not"), ("'re", " are"), ("'ll", " will"), ("'ve", " have"), ("'m", " am"), ("'d", " would")];
    let in_word = before.is_some_and(is_letter);
    if !in_word {
        for word in IS {
            if let Some(tail) = rest.strip_prefix(word).and_then(|r| r.strip_prefix("'s"))
                && !tail.bytes().next().is_some_and(is_letter)
            {
                return (word.len() + 2, is_written_out(word));
            }
        }
    }
    let table: &[(&str, &str)] = if in_word { &ENDINGS } else { &WHOLE };
    for (short, long) in table {
        if let Some(tail) = rest.strip_prefix(short)
            && !tail.bytes().next().is_some_and(is_letter)
        {
            return (short.len(), long);
        }
    }
    (0, "")
}

/// `it's` as two words.
fn is_written_out(word: &str) -> &'static str {
    match word {
        "it" => "it is",
        "that" => "that is",
        "he" => "he is",
        "she" => "she is",
        "there" => "there is",
        "here" => "here is",
        "what" => "what is",
        "who" => "who is",
        _ => "where is",
    }
}

/// Whether a byte of normalised text belongs to a word.
pub fn is_letter(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Normal {
    /// The byte range of the original that a range of the normalised text came from. Both ends are on character
    /// boundaries of the original.
    pub fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let last = self.map.last().copied().unwrap_or(0);
        let from = self.map.get(start).copied().unwrap_or(last);
        let end_of_previous = self.map.get(end.wrapping_sub(1)).copied().unwrap_or(from);
        // The first later byte with another origin begins where the last character of the range ends.
        let mut to = last;
        for origin in self.map.iter().skip(end) {
            if *origin > end_of_previous {
                to = *origin;
                break;
            }
        }
        (from as usize, (to.max(from)) as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_one_text() {
        for (given, expected) in [
            ("We’ve  decided\u{a0}not", "we have decided not"),
            ("I won't, you can't, they cannot", "i will not, you can not, they can not"),
            ("now—later", "now - later"),
            ("Entwickler:in “Köln”", "entwickler:in \"köln\""),
            ("ko\u{308}nnen", "können"),
            ("İlginiz ve ISTANBUL", "ilginiz ve istanbul"),
            ("第２回ＷＥＢ面接（予定）", "第2回web面接(予定)"),
            ("ｵﾝﾗｲﾝﾃﾞ｡", "オンラインデ."),
            ("未獲錄取，謝謝", "未获录取,谢谢"),
            ("《通知》", "\"通知\""),
            ("a\u{200b}b \u{1f600} c", "ab c"),
            ("wouldn't I'd", "would not i would"),
            ("It's Ana's, that's all", "it is ana's, that is all"),
            ("l'entretien aujourd'hui", "l'entretien aujourd'hui"),
            ("otro(a) candidato/a, Pan(i)", "otro candidato, pan"),
            ("Entwickler (m/w/d), and/or, km/h (b) C(a)", "entwickler (m/w/d), and/or, km/h (b) c(a)"),
            ("", ""),
        ] {
            assert_eq!(normalise(given).text, expected, "{given:?}");
        }
    }

    #[test]
    fn ranges_lead_back_to_the_original() {
        let original = "Sadly, we’ve chosen “Ana”.";
        let normal = normalise(original);
        for (word, expected) in [("have", "’ve"), ("chosen", "chosen"), ("we have", "we’ve"), ("\"ana\"", "“Ana”")]
        {
            let start = normal.text.find(word).unwrap();
            let (from, to) = normal.original(start, start + word.len());
            assert_eq!(&original[from..to], expected);
        }
    }

    #[test]
    fn every_contraction_begins_as_expected() {
        for text in
            ["can't", "cannot", "won't", "shan't", "let's", "it's", "that's", "he's", "she's", "there's", "here's"]
                .into_iter()
                .chain(["what's", "who's", "where's"])
        {
            assert!(may_contract(text.as_bytes()[0], Some(b' ')) && contraction(text, None).0 == text.len(), "{text}");
        }
        for ending in ["n't", "'re", "'ll", "'ve", "'m", "'d"] {
            assert!(
                may_contract(ending.as_bytes()[0], Some(b'u')) && contraction(ending, Some(b'u')).0 > 0,
                "{ending}"
            );
        }
    }

    proptest! {
        #[test]
        fn plain_text_is_written_as_character_by_character(s in "[a-zA-Z ('/`\tüß\u{301}1.]{0,60}") {
            let mut b = Builder { out: Normal::default(), gap: None };
            let mut at = 0;
            while at < s.len() {
                at += b.next(&s[at..], at);
            }
            b.expand_contractions();
            b.out.map.push(s.len() as u32);
            prop_assert_eq!(normalise(&s), b.out);
        }

        #[test]
        fn ranges_are_on_character_boundaries(s in "\\PC{0,60}|[a-z'’ n\u{301}\u{307}—…İı]{0,60}", a in 0usize..80, b in 0usize..80) {
            let normal = normalise(&s);
            prop_assert_eq!(normal.map.len(), normal.text.len() + 1);
            let (from, to) = normal.original(a.min(b), a.max(b));
            prop_assert!(s.get(from..to).is_some());
        }
    }
}

//! Words by which the parts of a mail are told apart: data only, lower case, the languages in order
//! (en de fr es it pt nl pl sv da nb fi cs ro tr ru uk ja zh ko). How they are looked for stands in
//! [`super::quote`] and [`super::zones`].

/// First words of a greeting line.
pub(super) const GREETINGS: &[&str] = &[
    "dear", "hi", "hello", "hey", "good morning", "good afternoon", "good evening", "good day", "greetings",
    "to whom", "sehr geehrte", "sehr geehrter", "liebe", "lieber", "hallo", "guten tag", "guten morgen", "moin",
    "grüezi", "servus", "bonjour", "madame", "monsieur", "cher", "chère", "bonsoir", "salut", "estimado", "estimada",
    "estimad@", "querido", "querida", "hola", "buenos días", "buenas tardes", "apreciado", "apreciada", "gentile",
    "egregio", "spettabile", "caro", "cara", "ciao", "salve", "buongiorno", "buonasera", "prezado", "prezada",
    "caro(a)", "olá", "oi", "bom dia", "boa tarde", "exmo", "exma", "beste", "geachte", "goedendag", "goedemorgen",
    "goedemiddag", "hoi", "dag", "szanowny", "szanowna", "szanowni", "drogi", "droga", "dzień dobry", "witaj",
    "witam", "cześć", "hej", "hejsan", "bästa", "kära", "god dag", "god morgon", "kære", "goddag", "kjære", "heisann",
    "hyvä", "hei", "moi", "tervehdys", "vážený", "vážená", "milý", "milá", "dobrý den", "ahoj", "stimate", "stimată",
    "dragă", "bună ziua", "bună", "sayın", "merhaba", "değerli", "selam", "уважаемый", "уважаемая", "уважаемые",
    "здравствуйте", "добрый день", "привет", "дорогой", "дорогая", "шановний", "шановна", "шановні", "доброго дня",
    "добрий день", "вітаємо", "привіт", "拝啓", "尊敬的", "亲爱的", "親愛的", "您好", "你好", "안녕하세요", "안녕하십니까",
];

/// Ends of a greeting line in languages that put the form of address last.
pub(super) const GREETING_ENDS: &[&str] = &[
    "様", "さま", "さん", "御中", "先生", "女士", "小姐", "님께", "귀하", "님",
];

/// Openings of a sign-off line that are one whatever follows on the line.
pub(super) const SIGN_OFFS: &[&str] = &[
    "best regards", "kind regards", "warm regards", "warmest regards", "kindest regards", "with regards",
    "with kind regards", "with best regards", "with warm regards", "best wishes", "warm wishes", "with best wishes",
    "yours sincerely", "yours faithfully", "yours truly", "sincerely yours", "very truly yours", "respectfully yours",
    "mit freundlichen grüßen", "mit freundlichen grüssen", "mit freundlichem gruß", "mit besten grüßen",
    "mit besten grüssen", "mit herzlichen grüßen", "mit vielen grüßen", "mit lieben grüßen", "freundliche grüße",
    "freundliche grüsse", "viele grüße", "viele grüsse", "beste grüße", "beste grüsse", "herzliche grüße",
    "herzliche grüsse", "liebe grüße", "liebe grüsse", "schöne grüße", "hochachtungsvoll", "es grüßt", "es grüßen",
    "bien cordialement", "cordialement", "bien à vous", "bien sincèrement", "sincères salutations",
    "meilleures salutations", "salutations distinguées", "très cordialement", "avec nos meilleures salutations",
    "saludos cordiales", "un cordial saludo", "un saludo", "atentamente", "cordialmente", "reciba un cordial saludo",
    "saludos,", "cordiali saluti", "distinti saluti", "un cordiale saluto", "i migliori saluti", "cari saluti",
    "cordialità", "atenciosamente", "com os melhores cumprimentos", "melhores cumprimentos", "cumprimentos",
    "abraços", "um abraço", "met vriendelijke groet", "met vriendelijke groeten", "vriendelijke groet",
    "hartelijke groet", "met hartelijke groet", "hoogachtend", "groeten", "z poważaniem", "pozdrawiam",
    "z wyrazami szacunku", "serdecznie pozdrawiam", "łączę pozdrowienia", "med vänlig hälsning",
    "med vänliga hälsningar", "vänliga hälsningar", "bästa hälsningar", "hälsningar", "med venlig hilsen",
    "venlig hilsen", "med venlige hilsner", "de bedste hilsner", "bedste hilsner", "med vennlig hilsen",
    "vennlig hilsen", "beste hilsen", "hilsen", "ystävällisin terveisin", "parhain terveisin", "terveisin",
    "terveisiä", "s pozdravem", "s přátelským pozdravem", "s úctou", "zdravím", "cu stimă", "cu respect",
    "toate cele bune", "o zi bună", "cu considerație", "saygılarımla", "saygılarımızla", "iyi çalışmalar", "sevgiler",
    "en iyi dileklerimizle", "с уважением", "с наилучшими пожеланиями", "всего доброго", "з повагою",
    "з найкращими побажаннями", "敬具", "草々", "以上、よろしく", "何卒よろしく", "どうぞよろしく", "よろしくお願い", "此致", "敬礼", "敬禮", "顺祝商祺", "祝好",
    "順頌商祺", "順頌", "顺颂", "順祝", "顺祝商", "敬祝", "此 致", "謹具", "以上、何卒", "감사합니다", "감사드립니다", "드림", "with friendly greetings", "with kindest regards", "un abrazo",
];

/// Words that are a sign-off only when hardly anything follows: they start ordinary sentences too.
pub(super) const SHORT_SIGN_OFFS: &[&str] = &[
    "regards", "sincerely", "best", "all the best", "cheers", "thanks", "thank you", "many thanks", "thanks again",
    "thank you again", "warmly", "respectfully", "cordially", "thanks and regards", "thanks & regards", "yours",
    "with appreciation", "with gratitude", "take care", "talk soon", "danke", "vielen dank", "beste", "grüße",
    "grüsse", "gruß", "lg", "mfg", "vg", "alles gute", "merci", "sincèrement", "amicalement", "gracias",
    "muchas gracias", "saludos", "grazie", "saluti", "obrigado", "obrigada", "bedankt", "groet", "dziękuję", "tack",
    "mvh", "tak", "takk", "kiitos", "děkuji", "mulțumesc", "teşekkürler", "спасибо", "дякую", "谢谢", "謝謝",
];

/// Starts of a postscript, after which a mail goes on.
pub(super) const POSTSCRIPTS: &[&str] = &[
    "p.s.", "ps:", "p.s:", "ps -", "p.p.s.", "p. s.",
];

/// Words of an attribution line ("On … somebody wrote:"); it also holds a digit or an address and ends with a colon.
pub(super) const WROTE: &[&str] = &[
    "wrote", "writes", "schrieb", "a écrit", "escribió", "ha scritto", "scrive", "escreveu", "schreef", "napisał",
    "pisze", "skrev", "kirjoitti", "napsal", "a scris", "yazdı", "şunu yazdı", "написал", "пишет", "написав", "пише",
    "のメール", "書きました", "写道", "寫道", "작성", "님이",
];

/// What stands between dashes above the mail that is answered.
pub(super) const ORIGINAL_MARKS: &[&str] = &[
    "original message", "original e-mail", "ursprüngliche nachricht", "original-nachricht", "originalnachricht",
    "message d'origine", "message original", "mensaje original", "messaggio originale", "mensagem original",
    "oorspronkelijk bericht", "oryginalna wiadomość", "wiadomość oryginalna", "ursprungligt meddelande",
    "originalmeddelande", "oprindelig meddelelse", "opprinnelig melding", "alkuperäinen viesti", "původní zpráva",
    "mesaj original", "mesajul original", "orijinal mesaj", "özgün ileti", "исходное сообщение",
    "оригинальное сообщение", "оригінальне повідомлення", "元のメッセージ", "原始邮件", "原始郵件", "邮件原件", "원본 메시지", "원본 메일",
];

/// What stands above a mail that is passed on.
pub(super) const FORWARD_MARKS: &[&str] = &[
    "forwarded message", "forwarded by", "begin forwarded message", "weitergeleitete nachricht",
    "weitergeleitete e-mail", "anfang der weitergeleiteten", "message transféré", "message réexpédié",
    "début du message transféré", "mensaje reenviado", "inicio del mensaje reenviado", "messaggio inoltrato",
    "inizio messaggio inoltrato", "mensagem encaminhada", "mensagem reencaminhada", "início da mensagem",
    "doorgestuurd bericht", "begin doorgestuurd", "przekazana wiadomość", "wiadomość przekazana",
    "vidarebefordrat meddelande", "vidarebefordrat mejl", "videresendt meddelelse", "videresendt besked",
    "videresendt melding", "välitetty viesti", "přeposlaná zpráva", "mesaj redirecționat", "iletilen ileti",
    "yönlendirilen mesaj", "пересылаемое сообщение", "пересланное сообщение", "переслане повідомлення", "転送されたメッセージ",
    "転送メッセージ", "转发的邮件", "转发邮件", "轉寄的郵件", "전달된 메시지", "전달된 메일",
];

/// Labels of the sender in a header block inside a text.
pub(super) const FROM_LABELS: &[&str] = &[
    "from", "von", "de", "da", "van", "od", "från", "fra", "lähettäjä", "de la", "expéditeur", "remitente",
    "mittente", "kimden", "gönderen", "от", "от кого", "від", "差出人", "送信者", "发件人", "寄件者", "寄件人", "보낸 사람", "보낸사람",
];

/// Labels of the subject.
pub(super) const SUBJECT_LABELS: &[&str] = &[
    "subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "temat", "ämne", "emne", "aihe",
    "předmět", "subiect", "konu", "тема", "件名", "主题", "主旨", "제목",
];

/// Labels of the recipient, among [`OTHER_LABELS`].
pub(super) const TO_LABELS: &[&str] = &[
    "to", "an", "à", "para", "a", "aan", "do", "till", "til", "vastaanottaja", "komu", "către", "kime", "кому", "宛先", "收件人",
    "收件者", "받는 사람",
];

/// Labels of date and recipients.
pub(super) const OTHER_LABELS: &[&str] = &[
    "sent", "date", "to", "cc", "reply-to", "gesendet", "datum", "an", "kopie", "envoyé", "à", "enviado", "fecha",
    "para", "inviato", "data", "a", "enviada em", "verzonden", "aan", "wysłano", "do", "skickat", "till", "sendt",
    "til", "dato", "lähetetty", "vastaanottaja", "päivämäärä", "odesláno", "komu", "trimis", "către", "gönderildi",
    "tarih", "kime", "отправлено", "дата", "кому", "надіслано", "送信日時", "日時", "宛先", "发送时间", "日期", "收件人", "寄件日期",
    "收件者", "보낸 날짜", "날짜", "받는 사람",
];

/// Subject prefixes of an answer, without colon.
pub(super) const REPLY_PREFIXES: &[&str] = &[
    "re", "r", "aw", "antw", "antwort", "sv", "vs", "odp", "odpověď", "ref", "res", "rif", "ynt", "yan", "cevap",
    "bls", "atb", "rép", "回复", "回覆", "答复", "返信", "답장", "отв", "на",
];

/// Subject prefixes of a mail passed on, without colon.
pub(super) const FORWARD_PREFIXES: &[&str] = &[
    "fw", "fwd", "wg", "tr", "rv", "i", "enc", "pd", "doorst", "vl", "vb", "vid", "vs", "přeposlat", "ilt", "ilet",
    "转发", "轉寄", "転送", "전달", "пересл", "fs",
];

/// Marks that gateways put before a subject; always in brackets or before a colon.
pub(super) const GATEWAY_MARKS: &[&str] =
    &["ext", "external", "extern", "externe", "externo", "external email", "external sender"];

/// Parts of a sentence that belong to legal text, unsubscribe lines and mailing addresses.
pub(super) const FOOTERS: &[&str] = &[
    "unsubscribe", "opt out of", "opt-out", "manage your preferences", "email preferences", "notification settings",
    "email settings", "manage your notifications", "update your preferences", "view in browser", "view this email",
    "view online version", "you are receiving this", "you're receiving this", "you received this email because",
    "this email was sent to", "this message was sent to", "all rights reserved", "©", "(c) 20", "privacy policy",
    "privacy notice", "privacy statement", "terms of service", "terms of use", "intended recipient",
    "intended solely for", "received this email in error", "received this message in error",
    "received this e-mail in error", "uitsluitend bestemd voor",
    "informação confidencial", "exclusivamente ao destinatário", "destinado exclusivamente",
    "exclusivamente a su destinatario", "destinato esclusivamente", "à l'attention exclusive",
    "przeznaczona wyłącznie", "endast avsedd för", "ausschließlich für den adressaten", "denken sie an die umwelt",
    "vertrauliche informationen", "richtige empfänger", "à l'intention exclusive", "conformément au rgpd",
    "informativa privacy", "impressum", "důvěrná", "сообщение конфиденциально", "повідомлення є конфіденційним",
    "confidentiality notice", "registered office", "registered in england", "company number",
    "equal opportunity employer", "equal opportunities employer", "without regard to race",
    "consider the environment before printing", "add us to your address book", "datenschutzerklärung",
    "datenschutzhinweise", "abbestellen", "newsletter abmelden", "handelsregister", "registergericht", "amtsgericht",
    "sitz der gesellschaft", "ust-id", "ust.-id", "geschäftsführer:", "geschäftsführung:",
    "vorsitzender des aufsichtsrats", "nicht der richtige adressat", "irrtümlich erhalten", "im browser ansehen",
    "im browser anzeigen", "politique de confidentialité", "se désabonner", "vous désabonner", "vous désinscrire",
    "se désinscrire", "mentions légales", "tous droits réservés", "politique de protection des données",
    "si vous n'êtes pas le destinataire", "política de privacidad", "darse de baja", "cancelar la suscripción",
    "anular la suscripción", "aviso legal", "todos los derechos reservados", "aviso de confidencialidad",
    "informativa sulla privacy", "annulla l'iscrizione", "annullare l'iscrizione", "disiscri",
    "tutti i diritti riservati", "política de privacidade", "cancelar a inscrição", "cancelar inscrição",
    "cancelar a subscrição", "descadastrar", "todos os direitos reservados", "privacyverklaring", "privacybeleid",
    "uitschrijven", "afmelden voor", "alle rechten voorbehouden", "kvk-nummer", "polityka prywatności",
    "polityce prywatności", "wypisać się", "zrezygnować z subskrypcji", "administratorem danych",
    "administratorem pani", "administratorem twoich", "klauzula informacyjna", "integritetspolicy", "avprenumerera",
    "avregistrera dig", "privatlivspolitik", "afmeld", "personvernerklæring", "avslutt abonnement",
    "tietosuojaseloste", "tietosuojakäytäntö", "peruuta tilaus", "zásady ochrany osobních", "ochraně osobních údajů",
    "odhlásit odběr", "odhlásit se z", "politica de confidențialitate", "dezabon", "gizlilik politikası",
    "abonelikten çık", "kişisel verilerin korunması", "политика конфиденциальности", "политикой конфиденциальности",
    "отписаться", "політика конфіденційності", "відписатися", "プライバシーポリシー", "個人情報の取り扱い", "配信停止", "購読解除", "隐私政策",
    "隱私權政策", "退订", "取消订阅", "取消訂閱", "版权所有", "개인정보 처리방침", "개인정보처리방침", "수신거부", "구독 취소",
];

/// As [`FOOTERS`], for short sentences only: in longer ones the news itself may stand beside them.
pub(super) const SHORT_FOOTERS: &[&str] = &[
    "do not reply", "don't reply", "not monitored", "unmonitored", "cannot receive replies", "this is an automated",
    "automatically generated", "sent automatically", "sent from my", "powered by", "get outlook for", "follow us on",
    "nicht auf diese", "antworten sie nicht", "automatisch generiert", "automatisch erstellt", "von meinem iphone",
    "gesendet von", "ne pas répondre", "message automatique", "envoyé de mon", "no responda", "no responder a",
    "mensaje automático", "enviado desde mi", "non rispondere", "messaggio automatico", "inviato da", "não responda",
    "não responder", "mensagem automática", "enviado do meu", "niet op deze", "beantwoord deze",
    "kun je niet reageren", "kunt u niet reageren", "automatisch gegenereerd", "nie odpowiadaj", "nie odpowiadać",
    "wygenerowana automatycznie", "svara inte", "går inte att svara", "svar ikke", "besvar ikke", "ikke svar",
    "ikke besvares", "kan ikke besvares", "älä vastaa", "automaattinen viesti", "ei voi vastata", "neodpovídejte",
    "automaticky generovan", "nu răspunde", "mesaj automat", "yanıtlamayın", "cevaplamayın", "otomatik olarak",
    "не отвечайте", "автоматическое сообщение", "не відповідайте", "автоматичне повідомлення", "返信しないで", "返信いただいても",
    "送信専用", "自動送信", "返信いただきましても", "返信はできません", "返信できません", "请勿回复", "請勿回覆", "请勿直接回复", "請勿直接回覆", "系统自动", "系統自動", "회신하지", "발신전용", "발신 전용", "회신이 불가", "회신되지", "replies to this",
    "respond to this email", "automatisch bericht",
];

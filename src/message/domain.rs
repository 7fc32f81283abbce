//! What the list of public suffixes says of a domain. The list is code, more than half a megabyte of it for each question
//! asked of it: one question is asked, here, so that it stands in the program once.

/// The registrable domain (`mail.acme.co.uk` → `acme.co.uk`); `None` for a public suffix itself.
pub fn registrable(domain: &str) -> Option<&str> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let (own, _) = domain.split_at_checked(domain.len().checked_sub(suffix(domain)?.0)?)?;
    let own = own.strip_suffix('.')?;
    let start = own.rfind('.').map_or(0, |dot| dot + 1);
    if start == own.len() { None } else { domain.get(start..) }
}

/// Whether a host stands under a public suffix that exists.
pub(super) fn is_known(host: &str) -> bool {
    suffix(host).is_some_and(|(_, known)| known)
}

/// The length of the public suffix in bytes, and whether it is on the list.
#[inline(never)]
fn suffix(domain: &str) -> Option<(usize, bool)> {
    psl::suffix(domain.as_bytes()).map(|suffix| (suffix.as_bytes().len(), suffix.is_known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrable_domain_is_what_the_list_itself_says() {
        for domain in [
            "acme.co.uk",
            "mail.acme.co.uk",
            "co.uk",
            "uk",
            "github.io",
            "kim.github.io",
            "jobs.kim.github.io",
            "acme.example",
            "mail.acme.example",
            "example",
            "acme.com.",
            "mail.Acme.COM",
            "",
            ".",
            ".com",
            "www.ck",
            "city.kawasaki.jp",
            "a.b.kawasaki.jp",
            "b.kawasaki.jp",
            "münchen.de",
            "post.münchen.de",
            "127.0.0.1",
        ] {
            assert_eq!(registrable(domain), psl::domain_str(domain), "{domain}");
        }
        // The crate takes the empty label for a name.
        assert_eq!(registrable("a..com"), None);
    }
}

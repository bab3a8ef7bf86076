//! A Markdown text of bounded size, in GitHub's dialect.

use crate::text::Texts;
use std::fmt::Write;

/// Room that is kept for the line that says that the text was cut.
const RESERVE: usize = 400;

/// Text that grows to a limit, and says so where it is cut.
pub(super) struct Page<'a> {
    texts: &'a Texts,
    out: String,
    limit: usize,
    cut: bool,
}

/// Makes text inert in a table's cell: no markup, no HTML, no links, no mentions.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // An empty comment parts what would become a mention, a reference or a link.
            '@' | '#' => {
                out.push(letter);
                out.push_str(PART);
            }
            ':' if makes_link(&text[..at], &text[at..]) => {
                out.push_str(PART);
                out.push(letter);
            }
            '.' if text[..at].to_ascii_lowercase().ends_with("www") => {
                out.push_str(PART);
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Parts letters, and is not seen.
const PART: &str = "<!-- -->";

fn makes_link(before: &str, from: &str) -> bool {
    let before = before.to_ascii_lowercase();
    from.starts_with("://") || before.ends_with("mailto") || before.ends_with("xmpp")
}

/// Makes text inert in a paragraph or a list's item, where its first letter may also begin a list, a heading or a rule.
fn escape_block(text: &str) -> String {
    let text = text.trim_start();
    match text.chars().next() {
        Some(first) if first.is_ascii_digit() || "-+=#".contains(first) => {
            format!("&#{};{}", u32::from(first), escape(&text[1..]))
        }
        _ => escape(text),
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(texts: &'a Texts, limit: usize) -> Self {
        Self { texts, out: String::new(), limit, cut: false }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.out.len() + bytes + RESERVE <= self.limit
    }

    /// Adds a block; one that does not fit is left out, and so is all after it.
    fn block(&mut self, block: &str) {
        self.cut |= !self.has_room(block.len());
        if !self.cut {
            self.out.push_str(block);
        }
    }

    pub(super) fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {}\n\n", "#".repeat(level), escape_block(text)));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.block(&format!("{}\n\n", escape_block(text)));
    }

    pub(super) fn strong(&mut self, text: &str) {
        self.block(&format!("**{}**\n\n", escape(text)));
    }

    /// Adds a command line as a block of its own; breaks of lines become blanks.
    pub(super) fn code(&mut self, text: &str) {
        let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        // Longer than any fence within.
        let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.block(&format!("{fence}sh\n{text}\n{fence}\n\n"));
    }

    /// Adds a table of at most `most` lines under a title; nothing where there is no line.
    pub(super) fn table(&mut self, title: &str, heads: &[&str], lines: &[Vec<String>], most: usize) {
        if lines.is_empty() {
            return;
        }
        if !title.is_empty() {
            self.heading(2, title);
        }
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let head = line(&mut heads.iter().map(|head| escape(head)));
        self.block(&(head + &line(&mut heads.iter().map(|_| "---".to_owned()))));
        let mut shown = 0;
        for cells in lines.iter().take(most) {
            let text = line(&mut cells.iter().map(|cell| escape(cell)));
            if self.cut || !self.has_room(text.len()) {
                break;
            }
            self.out.push_str(&text);
            shown += 1;
        }
        if self.cut {
            return;
        }
        self.out.push('\n');
        if shown < lines.len() {
            let rest = (self.texts.sentences.left_out)(lines.len() - shown);
            let _ = write!(self.out, "{}\n\n", escape(&rest));
        }
        // The room ran out within the table.
        self.cut = shown < lines.len().min(most);
    }

    pub(super) fn list(&mut self, title: &str, items: &[String], most: usize) {
        if items.is_empty() {
            return;
        }
        self.heading(2, title);
        for item in items.iter().take(most) {
            self.block(&format!("- {}\n", escape_block(item)));
        }
        if items.len() > most {
            self.block(&format!("- {}\n", escape(&(self.texts.sentences.left_out)(items.len() - most))));
        }
        self.block("\n");
    }

    pub(super) fn finish(mut self) -> String {
        if self.cut {
            let _ = writeln!(self.out, "\n{}", escape(&(self.texts.sentences.cut)(self.limit)));
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn markup_is_text() {
        assert_eq!(escape("<b>|*x*_y_`z`"), "&lt;b&gt;\\|\\*x\\*\\_y\\_\\`z\\`");
        assert_eq!(escape_block("1. a"), "&#49;. a");
        assert_eq!(escape_block(" # a"), "&#35; a");
        assert_eq!(escape("@team #12"), "@<!-- -->team #<!-- -->12");
        assert_eq!(escape("see https://x.y www.z"), "see https<!-- -->://x.y www<!-- -->.z");
    }

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        let texts = Lang::En.texts();
        let lines: Vec<_> = (0..1000).map(|line| vec![format!("line {line}")]).collect();
        let mut page = Page::new(texts, 2000);
        page.table("Title", &["head"], &lines, 900);
        page.paragraph("after");
        let text = page.finish();
        assert!(text.len() <= 2000, "{}", text.len());
        assert!(text.contains("| line 50 |") && !text.contains("after"), "{text}");
        assert!(text.contains("Cut here"), "{text}");
        let mut page = Page::new(texts, 20_000);
        page.table("Title", &["head"], &lines, 10);
        page.paragraph("after");
        let text = page.finish();
        assert!(text.contains("… and 990 more") && text.contains("after") && !text.contains("Cut here"), "{text}");
    }
}

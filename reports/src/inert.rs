//! Text from files, made harmless once, when it is read: whoever shows it later sees every letter, and no letter acts.
//!
//! Control characters, those that change the direction of writing and those that can't be seen become visible escapes;
//! text that is too long is cut, and says so. What markup means is left to each format's own escaping.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// Inert text, shared by all that hold the same.
pub type Text = Arc<str>;

/// Letters of a name, a label or an id that are kept.
pub const NAME: usize = 160;
/// Letters of a reason or a command line that are kept.
pub const SENTENCE: usize = 2000;

/// Whether a letter acts on its neighbours or can't be seen.
fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// The text with visible escapes, and cut after `limit` letters.
pub fn inert(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    let mut letters = text.chars();
    for letter in letters.by_ref().take(limit) {
        if acts(letter) {
            let _ = write!(out, "{}", letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    let rest = letters.count();
    if rest > 0 {
        let _ = write!(out, "… (+{rest})");
    }
    out
}

/// Makes a text inert where it stands.
pub fn clean(text: &mut String) {
    if text.len() > SENTENCE || text.chars().any(acts) {
        *text = inert(text, SENTENCE);
    }
}

/// Makes texts inert, and keeps each once.
#[derive(Debug, Default)]
pub struct Interner {
    /// By limit and source text. Long texts are rare, and are not kept as keys.
    known: HashMap<Box<str>, Text>,
}

impl Interner {
    /// A name, a label, an id.
    pub fn name(&mut self, text: &str) -> Text {
        self.text(text, NAME)
    }

    /// A reason, a command line.
    pub fn sentence(&mut self, text: &str) -> Text {
        self.text(text, SENTENCE)
    }

    fn text(&mut self, text: &str, limit: usize) -> Text {
        // Shorter text comes out the same with either limit.
        if text.len() > NAME && limit == NAME || text.len() > SENTENCE {
            return inert(text, limit).into();
        }
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let made: Text = inert(text, limit).into();
        self.known.insert(text.into(), made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_seen() {
        assert_eq!(inert("a\u{202e}b\u{0}c\nd\u{1b}[31m", NAME), "a\\u{202e}b\\u{0}c\\nd\\u{1b}[31m");
        assert_eq!(inert("zero\u{200b}width \u{feff}\u{e0041}", NAME), "zero\\u{200b}width \\u{feff}\\u{e0041}");
        assert_eq!(inert("<b>Grafik für 数据</b>", NAME), "<b>Grafik für 数据</b>");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let long = "x".repeat(1 << 20);
        let cut = inert(&long, NAME);
        assert!(cut.starts_with(&"x".repeat(NAME)) && cut.ends_with(&format!("… (+{})", (1 << 20) - NAME)), "{cut}");
        let mut interner = Interner::default();
        assert_eq!(&*interner.name(&long), cut);
        assert_eq!(interner.sentence(&long[..300]).len(), 300);
        assert_eq!(interner.name(&long[..300]).chars().filter(|&letter| letter == 'x').count(), NAME);
    }

    #[test]
    fn equal_texts_are_one() {
        let mut interner = Interner::default();
        assert!(Arc::ptr_eq(&interner.name("gemm"), &interner.sentence("gemm")));
    }
}

//! A report as Markdown, for pull requests and READMEs: what matters most first, and no longer than a comment may be.

pub mod gate;
mod page;
pub mod ratios;
mod sections;

use crate::Report;
use crate::text::Lang;
use page::Page;

/// GitHub takes comments of 65,536 letters; bytes are at least as many.
pub const LIMIT: usize = 65_536;

/// Renders a report in at most `limit` bytes; what is left out is told.
pub fn render(report: &Report, lang: Lang, limit: usize) -> String {
    let texts = lang.texts();
    let mut page = Page::new(texts, limit);
    page.heading(1, report.title.as_deref().unwrap_or(texts.titles.report));
    let measured = report.subjects.iter().map(|subject| subject.measured).sum();
    let made_from = (texts.sentences.made_from)(report.runs.len(), report.subjects.len(), measured, report.rows.len());
    page.paragraph(&made_from);
    if report.anonymous {
        page.paragraph(texts.sentences.anonymous);
    }
    sections::rejected(&mut page, report, texts);
    sections::standings(&mut page, report, texts);
    sections::environment(&mut page, report, texts);
    sections::devices(&mut page, report, texts);
    sections::chips(&mut page, report, texts);
    sections::libraries(&mut page, report, texts);
    sections::shares(&mut page, report, texts);
    sections::energy(&mut page, report, texts);
    sections::memory(&mut page, report, texts);
    sections::support(&mut page, report, texts);
    let paragraphs = |paragraphs: &[&str]| paragraphs.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    page.list(texts.titles.method, &paragraphs(texts.method), usize::MAX);
    page.list(texts.titles.limits, &paragraphs(texts.limits), usize::MAX);
    sections::problems(&mut page, report, texts);
    sections::cases(&mut page, report, texts);
    page.finish()
}

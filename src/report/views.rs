//! The files of a bundle that only show what is in it. Sealing writes them; verifying makes them again.
use super::{csv, cyclonedx, html, html::Report, html::ReportError, junit, oscal, sarif};

/// Path below `data/` and bytes. The assessment as JSON stands in `results/` already.
pub fn views(report: &Report<'_>) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let mut files = vec![
        ("report/report.html".to_owned(), html(report)?),
        ("views/junit.xml".to_owned(), junit(report)?),
        ("views/results.csv".to_owned(), csv(report.assessments)),
        ("views/results.sarif".to_owned(), sarif(report, None)),
        ("views/declarations.cdx.json".to_owned(), cyclonedx(report)),
    ];
    files.extend(oscal(report).into_iter().map(|(name, text)| (format!("views/oscal/{name}"), text)));
    Ok(files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect())
}

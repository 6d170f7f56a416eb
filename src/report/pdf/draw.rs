//! Pages as PDF/A-2a and PDF/UA-1: what is drawn, what it is, where it is found.
use super::{
    Failed,
    sheet::{Child, DIM, HEIGHT, MARGIN, Piece, Rgb, Sheet, Style, WIDTH, What},
};
use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TagGroup, TagTree},
};
use std::collections::BTreeMap;

const FOOT: Style = Style { size: 7.0, bold: false, ink: DIM };

pub(super) fn draw(sheet: Sheet, foot: &str, metadata: Metadata) -> Result<Vec<u8>, Failed> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|e| Failed(format!("{e:?}")))?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut known = BTreeMap::new();
    for page in 0..sheet.pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| Failed("the page's size".to_owned()))?;
        let mut leaf = document.start_page_with(settings);
        let mut surface = leaf.surface();
        for (n, piece) in sheet.pieces.iter().enumerate().filter(|(_, p)| p.page == page) {
            let tag = tag(&piece.what);
            let identifier = surface.start_tagged(tag);
            put(&mut surface, &sheet, piece);
            surface.end_tagged();
            known.insert(n, identifier);
        }
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
        let number = format!("{foot}, page {} of {}", page + 1, sheet.pages);
        let line =
            sheet.regular.wrap(&number, (WIDTH - 2.0 * MARGIN) / FOOT.size).into_iter().next().unwrap_or_default();
        letters(&mut surface, &sheet, (MARGIN, HEIGHT - 30.0), &line, FOOT);
        surface.end_tagged();
        surface.finish();
        leaf.finish();
    }
    document.set_outline(outline(&sheet));
    document.set_metadata(metadata);
    let nodes: Vec<Node> = sheet.root.into_iter().filter_map(|c| node(c, &known)).collect();
    document.set_tag_tree(TagTree::from(nodes).with_lang(Some("en".to_owned())));
    document.finish().map_err(|e| Failed(format!("{e:?}")))
}

fn tag(what: &What) -> ContentTag<'static> {
    match what {
        What::Text { read: true, .. } => ContentTag::Span(SpanTag::empty()),
        What::Text { read: false, .. } => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
        What::Fill { .. } => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
    }
}

fn put(surface: &mut Surface<'_>, sheet: &Sheet, piece: &Piece) {
    match &piece.what {
        What::Text { text, style, .. } => letters(surface, sheet, (piece.x, piece.y), text, *style),
        What::Fill { width, height, ink } => {
            let Some(rect) = Rect::from_xywh(piece.x, piece.y, *width, *height) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            surface.set_fill(Some(fill(*ink)));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

fn letters(surface: &mut Surface<'_>, sheet: &Sheet, (x, y): (f32, f32), text: &str, style: Style) {
    let face = sheet.face(style);
    surface.set_fill(Some(fill(style.ink)));
    surface.draw_glyphs(Point::from_xy(x, y), &face.glyphs(text), face.font.clone(), text, style.size, false);
}

fn fill((r, g, b): Rgb) -> Fill {
    Fill { paint: rgb::Color::new(r, g, b).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

/// Bookmarks: the sections, and below each what it is divided into.
fn outline(sheet: &Sheet) -> Outline {
    let mut outline = Outline::new();
    let mut open: Option<OutlineNode> = None;
    for mark in sheet.marks.iter().filter(|m| m.level <= 3) {
        let node = OutlineNode::new(mark.text.clone(), XyzDestination::new(mark.page, Point::from_xy(MARGIN, mark.y)));
        if mark.level == 3
            && let Some(section) = &mut open
        {
            section.push_child(node);
        } else if let Some(section) = open.replace(node) {
            outline.push_child(section);
        }
    }
    if let Some(section) = open {
        outline.push_child(section);
    }
    outline
}

fn node(child: Child, known: &BTreeMap<usize, Identifier>) -> Option<Node> {
    match child {
        Child::Piece(n) => known.get(&n).map(|i| Node::from(*i)),
        Child::Element(e) => {
            let children = e.children.into_iter().filter_map(|c| node(c, known)).collect();
            Some(TagGroup::with_children(e.tag, children).into())
        }
    }
}

//! What a service tells to strangers must be meant to be told.
use super::common::{listed, not_declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "banner-version",
    title: "Banners do not disclose versions that nobody declared",
    page: include_str!("banner_version.md"),
    expected: "no service states a product version, or only such as the IXIT declares to be disclosed",
    remedy: "make banners say less, or declare and justify what they say",
    severity: Severity::Low,
    pass: Proves::Full,
    needs: &["service-identify"],
    bind: bind::<BannerVersion>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BannerVersion {
    /// Only these services, by their word in an inventory. Without it: all.
    services: Option<Vec<String>>,
}

impl Judge for BannerVersion {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let banners = evidence.known("service-identify", |r| match &r.observation {
            Observation::Service { service, product, version, .. } if self.asks_of(service) => {
                Some(version.as_deref().and_then(|v| Banner::of(service, product.as_deref(), v)))
            }
            _ => None,
        });
        let Some(disclosed) = evidence.ixit.and_then(|i| i.disclosed.as_ref()) else {
            let said = listed(banners.items().iter().filter_map(|s| Some((s.subject(), s.what?))).map(told));
            return match said.is_empty() {
                true => every(&banners, NO_SERVICE, |s| nothing(s.subject())),
                false => not_declared("x-disclosed", said),
            };
        };
        every(&banners, NO_SERVICE, |seen| match seen.what {
            None => nothing(seen.subject()),
            Some(b) if disclosed.iter().any(|d| b.is_called(d)) => {
                Point::Good(format!("{}: declared", told((seen.subject(), b))))
            }
            Some(b) => Point::Bad(format!("{}: not declared", told((seen.subject(), b)))),
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-disclosed"]
    }
}

impl BannerVersion {
    fn asks_of(&self, service: &str) -> bool {
        self.services.as_ref().is_none_or(|only| only.iter().any(|s| s == service))
    }
}

#[derive(Clone, Copy)]
struct Banner<'a> {
    product: &'a str,
    version: &'a str,
}

impl<'a> Banner<'a> {
    /// RFC 4253, 4.2: the protocol version is required. Without a product it is all that was said.
    fn of(service: &str, product: Option<&'a str>, version: &'a str) -> Option<Self> {
        let only_protocol = service == "ssh" && product.is_none();
        (!only_protocol).then_some(Self { product: product.unwrap_or(""), version })
    }

    fn is_called(&self, name: &str) -> bool {
        let Self { product, version } = self;
        let names = [
            format!("{product} {version}"),
            format!("{product}/{version}"),
            (*product).to_owned(),
            (*version).to_owned(),
        ];
        names.iter().any(|n| !n.is_empty() && n.eq_ignore_ascii_case(name.trim()))
    }
}

fn told((at, banner): (&Subject, Banner<'_>)) -> String {
    format!("{at} says {}", format!("{} {}", banner.product, banner.version).trim())
}

fn nothing(at: &Subject) -> Point {
    Point::Good(format!("{at} states no version"))
}

const NO_SERVICE: &str = "no service";

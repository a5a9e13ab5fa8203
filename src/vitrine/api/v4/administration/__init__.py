"""Administration of databoxes and collections: their structure, their settings and their terms of use."""

from vitrine.api.v4.administration import collections, databoxes, fields, pictures, recipes, rules, status_bits, terms

ROUTES = (
    *databoxes.ROUTES,
    *collections.ROUTES,
    *fields.ROUTES,
    *status_bits.ROUTES,
    *recipes.ROUTES,
    *rules.ROUTES,
    *terms.ROUTES,
    *pictures.ROUTES,
)
COMPONENTS = {
    **databoxes.COMPONENTS,
    **collections.COMPONENTS,
    **fields.COMPONENTS,
    **status_bits.COMPONENTS,
    **recipes.COMPONENTS,
    **rules.COMPONENTS,
    **terms.COMPONENTS,
}

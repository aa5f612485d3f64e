"""The functions that queries may call beyond those of SPARQL 1.1 (sd:extensionFunction).

The list is what the engine has; a test calls each of them.
"""

from __future__ import annotations

from typing import Final

from kg.namespaces import XSD

_GEO: Final = "http://www.opengis.net/def/function/geosparql/"
# Casts to types that SPARQL 1.1, section 17.5, does not name.
_CASTS: Final = (
    "date dayTimeDuration duration gDay gMonth gMonthDay gYear gYearMonth time yearMonthDuration"
)
# GeoSPARQL 1.1, section 8.
_ON_GEOMETRIES: Final = (
    "asGeoJSON centroid convexHull coordinateDimension difference dimension distance ehContains"
    " ehCoveredBy ehCovers ehDisjoint ehEquals ehInside ehMeet ehOverlap envelope getSRID"
    " intersection isEmpty isSimple length rcc8dc rcc8ec rcc8eq rcc8ntpp rcc8ntppi rcc8po rcc8tpp"
    " rcc8tppi relate sfContains sfCrosses sfDisjoint sfEquals sfIntersects sfOverlaps sfTouches"
    " sfWithin spatialDimension symDifference union"
)

FUNCTIONS: Final = (
    *(XSD + name for name in _CASTS.split()),
    *(_GEO + name for name in _ON_GEOMETRIES.split()),
)

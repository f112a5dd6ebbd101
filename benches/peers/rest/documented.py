"""As the documentation of Django REST framework and of django-filter writes it."""

import django_filters
import words
from django.urls import include, path
from rest.models import Policy, Resource, Task, Tenant
from rest_framework import routers, serializers, viewsets
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class PolicySerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Policy, ["id", "type", "name"]


class ResourceSerializer(serializers.ModelSerializer):
    class Meta:
        model, fields = Resource, ["id", "type", "name"]


class TenantSerializer(serializers.ModelSerializer):
    id = serializers.CharField()
    uuid = serializers.CharField()

    class Meta:
        model, fields = Tenant, ["id", "uuid", "locator", "name"]


class ResultSerializer(serializers.Serializer):
    code = serializers.CharField(source="result")

    def to_representation(self, instance: Task) -> dict[str, str] | None:
        return super().to_representation(instance) if instance.result else None


class TaskSerializer(serializers.ModelSerializer):
    idString = serializers.CharField(source="id")
    uuid = serializers.CharField()
    type = serializers.CharField(source="type.name")
    state = serializers.CharField()
    result = ResultSerializer(source="*")
    queue = serializers.CharField(source="queue.name")
    priority = serializers.CharField()
    enqueuedAt = serializers.CharField(source="enqueued_at")
    assignedAt = serializers.CharField(source="assigned_at")
    startedAt = serializers.CharField(source="started_at")
    updatedAt = serializers.CharField(source="updated_at")
    completedAt = serializers.CharField(source="completed_at")
    cancelRequested = serializers.BooleanField(source="cancel_requested")
    startedByUser = serializers.CharField(source="user.name", default=None)
    policy = PolicySerializer()
    resource = ResourceSerializer()
    tenant = TenantSerializer()

    class Meta:
        model = Task
        fields = ["id", "idString", "uuid", "type", "state", "result", "queue", "priority",
                  "enqueuedAt", "assignedAt", "startedAt", "updatedAt", "completedAt",
                  "cancellable", "cancelRequested", "startedByUser", "policy", "resource",
                  "tenant"]  # fmt: skip


class TaskFilter(django_filters.FilterSet):
    type = django_filters.CharFilter(field_name="type__name")

    class Meta:
        model, fields = Task, ["type"]


class TaskPages(CursorPagination):
    """No count of all rows, which the default pagination makes for each page."""

    ordering, page_size, page_size_query_param, max_page_size = "-id", 100, "limit", 1000


class Viewer(BasePermission):
    """The token names the scope."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.auth is not None and words.VIEWER in request.auth["scope"].split()


class TaskViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Task.objects.filter(deleted_at__isnull=True).select_related(
        "type", "queue", "user", "policy", "resource", "tenant")  # fmt: skip
    serializer_class = TaskSerializer
    permission_classes = [Viewer]
    pagination_class = TaskPages
    filterset_class = TaskFilter
    ordering_fields = ["id"]


router = routers.DefaultRouter(trailing_slash=False)
router.register("tasks", TaskViewSet)
urlpatterns = [path("", include(router.urls))]

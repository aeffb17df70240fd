"""Uploads in several requests, a part of the first migration: beside it, so that both are short enough to read."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

PARTIALS = [
    migrations.CreateModel(
        name='PartialUpload',
        fields=[
            ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
            ('key', models.CharField(max_length=1024)),
            ('stage', models.CharField(choices=[('receiving', 'Receiving'), ('arrived', 'Arrived'), ('done', 'Done'), ('over', 'Over')], db_default='receiving', default='receiving', max_length=20)),
            ('turn', models.PositiveIntegerField(db_default=0, default=0)),
            ('length', models.BigIntegerField()),
            ('received', models.BigIntegerField(db_default=0, default=0)),
            ('metadata_sent', models.TextField(db_default='', default='')),
            ('name', models.CharField(max_length=200)),
            ('declared_type', models.CharField(db_default='', default='', max_length=255)),
            ('why', models.CharField(db_default='', default='', max_length=300)),
            ('metadata', models.JSONField(db_default={}, default=dict)),
            ('lease_number', models.BigIntegerField(null=True)),
            ('sha256', models.CharField(db_default='', default='', max_length=64)),
            ('document_number', models.BigIntegerField()),
            ('version_number', models.PositiveIntegerField(db_default=1, default=1)),
            ('revision', models.PositiveIntegerField(null=True)),
            ('generation', models.PositiveIntegerField(null=True)),
            ('hash_state', models.BinaryField(db_default=b'', default=b'')),
            ('why_over', models.CharField(db_default='', default='', max_length=50)),
            ('finishing_until', models.DateTimeField(null=True)),
            ('is_cleared', models.BooleanField(db_default=False, default=False)),
            ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ('expires_at', models.DateTimeField()),
            ('document', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='documents.document')),
            ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ('upload', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='partial', to='documents.upload')),
        ],
        options={
            'ordering': ['-created_at'],
            'default_permissions': (),
        },
    ),
    migrations.CreateModel(
        name='PartialPiece',
        fields=[
            ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ('start', models.BigIntegerField()),
            ('size', models.BigIntegerField()),
            ('name', models.CharField(max_length=1024)),
            ('partial', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='documents.partialupload')),
        ],
        options={
            'ordering': ['partial', 'start'],
            'default_permissions': (),
        },
    ),
    migrations.AddIndex(
        model_name='partialupload',
        index=models.Index(fields=['owner'], name='documents_partial_owner'),
    ),
    migrations.AddIndex(
        model_name='partialupload',
        index=models.Index(fields=['expires_at'], name='documents_partial_expires'),
    ),
    migrations.AddIndex(
        model_name='partialupload',
        index=models.Index(condition=models.Q(('stage', 'arrived')), fields=['created_at'], name='documents_partial_arrived'),
    ),
    migrations.AddIndex(
        model_name='partialupload',
        index=models.Index(condition=models.Q(('is_cleared', False), ('stage__in', ['done', 'over'])), fields=['created_at'], name='documents_partial_uncleared'),
    ),
    migrations.AddConstraint(
        model_name='partialupload',
        constraint=models.CheckConstraint(condition=models.Q(('received__gte', 0), ('received__lte', models.F('length'))), name='documents_partial_received_is_some'),
    ),
    migrations.AddConstraint(
        model_name='partialupload',
        constraint=models.CheckConstraint(condition=models.Q(('stage__in', ['receiving', 'arrived', 'done', 'over'])), name='documents_partial_known_stage'),
    ),
    migrations.AddConstraint(
        model_name='partialpiece',
        constraint=models.UniqueConstraint(fields=('partial', 'start'), name='documents_piece_once'),
    ),
    migrations.AddConstraint(
        model_name='partialpiece',
        constraint=models.CheckConstraint(condition=models.Q(('size__gt', 0)), name='documents_piece_is_some'),
    ),
]
